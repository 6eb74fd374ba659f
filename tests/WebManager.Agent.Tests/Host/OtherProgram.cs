using System.Text;
using WebManager.Agent.Node;

namespace WebManager.Agent.Tests.Host;

/// <summary>What an administrator installs as an agent: a folder behind a name that leads to it, as packages do.</summary>
internal sealed class OtherProgram : IDisposable
{
    public string Folder { get; } = Directory.CreateTempSubdirectory("wm-p").FullName;

    /// <summary>As nodes are started with it.</summary>
    public string Installed => Path.Combine(Folder, "current", "WebManager.Agent");

    /// <summary>The tested program, under another version and build if asked for.</summary>
    public string Real(string version = "1.0.0")
    {
        var folder = Directory.CreateDirectory(Path.Combine(Folder, version)).FullName;
        foreach (var file in Directory.EnumerateFiles(AppContext.BaseDirectory, "WebManager.Agent*").Append(Path.Combine(AppContext.BaseDirectory, "WebManager.Contracts.dll")).Where(f => !Path.GetFileName(f).Contains("Tests", StringComparison.Ordinal)))
            File.Copy(file, Path.Combine(folder, Path.GetFileName(file)), overwrite: true);
        if (version == "1.0.0") return folder;
        var assembly = Path.Combine(folder, "WebManager.Agent.dll");
        var bytes = File.ReadAllBytes(assembly);
        Replace(bytes, Encoding.UTF8.GetBytes("1.0.0" + NodeIdentity.Version["1.0.0".Length..]), Encoding.UTF8.GetBytes(version));
        Replace(bytes, typeof(NodeIdentity).Module.ModuleVersionId.ToByteArray(), Guid.NewGuid().ToByteArray());
        File.WriteAllBytes(assembly, bytes);
        return folder;
    }

    /// <summary>A shell script; $real is the tested program.</summary>
    public string Script(string name, string text)
    {
        var folder = Directory.CreateDirectory(Path.Combine(Folder, name)).FullName;
        var file = Path.Combine(folder, "WebManager.Agent");
        File.WriteAllText(file, $"#!/bin/sh\nreal='{Path.Combine(AppContext.BaseDirectory, "WebManager.Agent")}'\n{text}\n");
        File.SetUnixFileMode(file, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        return folder;
    }

    public void Install(string folder)
    {
        var link = Path.Combine(Folder, "current");
        File.Delete(link);
        File.CreateSymbolicLink(link, folder);
    }

    public void Dispose() => Directory.Delete(Folder, recursive: true);

    private static void Replace(byte[] bytes, byte[] old, byte[] by)
    {
        var at = bytes.AsSpan().IndexOf(old);
        if (at < 0) throw new InvalidOperationException("The program does not have what is to be replaced.");
        by.CopyTo(bytes.AsSpan(at));
    }
}
