namespace WebManager.Agent.Hypervisor;

/// <summary>What /proc says about a process that another one is the parent of.</summary>
public static class ProcessFiles
{
    /// <summary>It exists and is no zombie.</summary>
    public static bool Alive(int pid)
    {
        try
        {
            var stat = File.ReadAllText($"/proc/{pid}/stat");
            // The state follows the program's name, which is in brackets and may itself hold brackets.
            return stat[stat.LastIndexOf(')') + 2] is not ('Z' or 'X');
        }
        catch (IOException) { return false; }
    }
}
