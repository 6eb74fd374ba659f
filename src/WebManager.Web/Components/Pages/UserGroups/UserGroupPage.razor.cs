using Microsoft.AspNetCore.Components;
using WebManager.Engine;
using WebManager.Engine.Live;
using WebManager.Engine.Model;
using WebManager.Web.Components.Shared;

namespace WebManager.Web.Components.Pages.UserGroups;

public sealed partial class UserGroupPage
{
    private const int Few = 12;
    private readonly Dictionary<Guid, InstanceRow> _instances = [];
    private List<InstanceRow> _shown = [];
    private UserGroupRow? _group;
    private bool _gone, _renaming;

    [Inject] public IClusterEngine Engine { get; set; } = default!;
    [Inject] public NavigationManager Nav { get; set; } = default!;

    [Parameter] public string Name { get; set; } = "";

    protected override void OnInitialized()
    {
        Follow(Engine.Feeds.UserGroups, TakeGroups);
        Follow(Engine.Feeds.Instances, TakeInstances);
        Follow(Engine.Feeds.Grants, _ => true);   // what may be done here depends on them
    }

    protected override void OnParametersSet()
    {
        if (_group is null || _group.Name == Name) { return; }
        (_group, _gone) = (null, false);
        TakeGroups(Engine.Feeds.UserGroups.Current(Sight.For<UserGroupRow>()).ToDictionary(g => g.Id, g => (UserGroupRow?)g));
        Gather();
    }

    private bool TakeGroups(IReadOnlyDictionary<Guid, UserGroupRow?> batch)
    {
        if (_group is not { } known)
        {
            _group = batch.Values.FirstOrDefault(g => g is not null && (g.Name == Name || g.Id.ToString() == Name));
            if (_group is not null) { Gather(); }
            return _group is not null;
        }
        if (!batch.TryGetValue(known.Id, out var now)) { return false; }
        (_group, _gone) = (now, now is null);
        if (now is not null && now.Name != known.Name) { Nav.NavigateTo($"/user-groups/{Uri.EscapeDataString(now.Name)}", replace: true); }
        return true;
    }

    private bool TakeInstances(IReadOnlyDictionary<Guid, InstanceRow?> batch)
    {
        var hit = false;
        foreach (var (id, row) in batch)
        {
            var before = _instances.GetValueOrDefault(id);
            if (row is null || _group is null || row.OwnerKey != _group.Key) { hit |= _instances.Remove(id); continue; }
            _instances[id] = row;
            hit |= before is null || before.Status != row.Status || before.Name != row.Name;
        }
        if (hit) { Sort(); }
        return hit;
    }

    private void Gather()
    {
        _instances.Clear();
        if (_group is { } group)
        {
            foreach (var row in Engine.Feeds.Instances.Current(i => i.OwnerKey == group.Key && Sight.Instance(i))) { _instances[row.Id] = row; }
        }
        Sort();
    }

    private void Sort() => _shown = [.. _instances.Values.OrderBy(i => i.Name, NameOrder.By).Take(Few)];

    private Question RemoveQuestion(UserGroupRow group)
    {
        var left = _instances.Count;
        return new Question($"Remove group {group.Name}?",
            $"Its {(group.Members.Count == 1 ? "member loses" : $"{group.Members.Count} members lose")} the rights that come from it, and its own limits go. {(left == 0 ? "It owns no instance." : $"{(left == 1 ? "Its instance runs on and becomes nobody's" : $"Its {left} instances run on and become nobody's")}; administrators can give them to somebody.")}",
            "Remove group") { Danger = true, TypeThis = group.Name };
    }
}
