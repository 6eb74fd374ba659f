// What each right lets one do, in a sentence.
using WebManager.Engine.Model;

namespace WebManager.Web.Components.Shared;

public static class RightTexts
{
    public static string Of(string target, string right) => (Kind(target), right) switch
    {
        ("cluster", "admin") => "Everything on the cluster: nodes, all instances, groups, rights, quotas.",
        ("cluster", "create_vm") => "Create instances, to be owned by the one who has this right.",
        ("cluster", "migrate") => "Migrate and fail over instances; sees nodes and their instances.",
        ("cluster", "replace_disks") => "Replace the secondary of instances; sees the nodes.",
        ("cluster", "tags") => "Change the tags of the cluster; sees the nodes.",
        ("instance", "admin") => "Everything on this instance, and giving rights on it to others.",
        ("instance", "power") => "Start, stop and reboot it.",
        ("instance", "remove") => "Remove it with its disks.",
        ("instance", "modify") => "Change its settings, resync its disks.",
        ("instance", "tags") => "Change its tags.",
        ("instance", "console") => "Use its console.",
        ("usergroup", "admin") => "Add and remove members of this group, and nothing else.",
        ("template", "admin") => "Use, change, copy and remove it, and give rights on it to others.",
        ("template", "use") => "Create instances from it, to be owned by the one who has this right.",
        _ => "",
    };

    private static string Kind(string target) => target == Keys.Cluster ? target : Keys.InstanceOf(target) is not null ? "instance" : Keys.TemplateOf(target) is not null ? "template" : "usergroup";
}
