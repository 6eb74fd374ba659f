using System.Globalization;
using System.Text;
using WebManager.Agent.Rules;
using WebManager.Contracts;
using WebManager.Agent.Storage;

namespace WebManager.Agent.State;

/// <summary>The highest epoch any engine has shown (R5), on disk before an order of it is obeyed.</summary>
public sealed class EpochFile(NodeFolder folder, NodeRules rules)
{
    private readonly Lock _gate = new();
    private long _highest = File.Exists(folder.Epoch) ? long.Parse(File.ReadAllText(folder.Epoch), CultureInfo.InvariantCulture) : 0;

    public Refusal? Check(long given)
    {
        lock (_gate)
        {
            var next = rules.Epoch(_highest, given);
            if (!next.Ok) return next.Refusal;
            if (next.Value == _highest) return null;
            DurableFile.Write(folder.Epoch, Encoding.ASCII.GetBytes(next.Value.ToString(CultureInfo.InvariantCulture)));
            _highest = next.Value;
            return null;
        }
    }
}
