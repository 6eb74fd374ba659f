// A small ISO 9660 image with Joliet names and a few files in the root folder: all that a seed needs (ECMA-119).
using System.Buffers.Binary;
using System.Text;

namespace WebManager.Agent.Storage;

public static class Iso9660
{
    private const int Sector = 2048;
    private const int PrimaryAt = 16, JolietAt = 17, EndAt = 18, PathLittle = 19, PathBig = 20, RootAt = 21, JolietRootAt = 22, FilesAt = 23;

    public static byte[] Build(string label, IReadOnlyList<(string Name, byte[] Bytes)> files, DateTimeOffset at)
    {
        var starts = new int[files.Count];
        var next = FilesAt;
        for (var i = 0; i < files.Count; i++)
        {
            starts[i] = next;
            next += Math.Max(1, (files[i].Bytes.Length + Sector - 1) / Sector);
        }
        var image = new byte[next * Sector];
        Descriptor(At(image, PrimaryAt), 1, label, RootAt, next, at);
        Descriptor(At(image, JolietAt), 2, label, JolietRootAt, next, at);
        At(image, EndAt)[0] = 255;
        "CD001"u8.CopyTo(At(image, EndAt)[1..]);
        At(image, EndAt)[6] = 1;
        // Both descriptors share the path tables: one root folder each, and systems that matter read the folder, not the table.
        PathTables(image);
        Folder(At(image, RootAt), RootAt, files, starts, at, name => Encoding.ASCII.GetBytes(name.ToUpperInvariant() + ";1"));
        Folder(At(image, JolietRootAt), JolietRootAt, files, starts, at, name => Encoding.BigEndianUnicode.GetBytes(name + ";1"));
        for (var i = 0; i < files.Count; i++) files[i].Bytes.CopyTo(At(image, starts[i]));
        return image;
    }

    private static Span<byte> At(byte[] image, int sector) => image.AsSpan(sector * Sector);

    private static void Descriptor(Span<byte> sector, byte type, string label, int root, int sectors, DateTimeOffset at)
    {
        var joliet = type == 2;
        sector[0] = type;
        "CD001"u8.CopyTo(sector[1..]);
        sector[6] = 1;
        Padded(sector.Slice(8, 32), "LINUX", joliet);
        Padded(sector.Slice(40, 32), label, joliet);
        Both32(sector[80..], sectors);
        if (joliet) "%/E"u8.CopyTo(sector[88..]);
        Both16(sector[120..], 1);
        Both16(sector[124..], 1);
        Both16(sector[128..], Sector);
        Both32(sector[132..], 10);
        BinaryPrimitives.WriteInt32LittleEndian(sector[140..], PathLittle);
        BinaryPrimitives.WriteInt32BigEndian(sector[148..], PathBig);
        Record(sector[156..], root, Sector, isFolder: true, [0], at);
        Padded(sector.Slice(190, 623), "", joliet);
        var stamp = Encoding.ASCII.GetBytes(at.UtcDateTime.ToString("yyyyMMddHHmmss", null) + "00");
        stamp.CopyTo(sector[813..]);
        stamp.CopyTo(sector[830..]);
        sector.Slice(847, 16).Fill((byte)'0');
        sector.Slice(864, 16).Fill((byte)'0');
        sector[881] = 1;
    }

    private static void PathTables(byte[] image)
    {
        byte[] little = [1, 0, RootAt, 0, 0, 0, 1, 0, 0, 0];
        byte[] big = [1, 0, 0, 0, 0, RootAt, 0, 1, 0, 0];
        little.CopyTo(At(image, PathLittle));
        big.CopyTo(At(image, PathBig));
    }

    private static void Folder(Span<byte> sector, int self, IReadOnlyList<(string Name, byte[] Bytes)> files, int[] starts, DateTimeOffset at, Func<string, byte[]> encode)
    {
        var used = Record(sector, self, Sector, isFolder: true, [0], at);
        used += Record(sector[used..], self, Sector, isFolder: true, [1], at);
        // The standard wants the entries in the order of their names.
        foreach (var i in Enumerable.Range(0, files.Count).OrderBy(i => files[i].Name, StringComparer.Ordinal))
            used += Record(sector[used..], starts[i], files[i].Bytes.Length, isFolder: false, encode(files[i].Name), at);
    }

    private static int Record(Span<byte> to, int sector, int length, bool isFolder, byte[] name, DateTimeOffset at)
    {
        var size = 33 + name.Length + (name.Length % 2 == 0 ? 1 : 0);
        to[0] = (byte)size;
        Both32(to[2..], sector);
        Both32(to[10..], length);
        var utc = at.UtcDateTime;
        byte[] date = [(byte)(utc.Year - 1900), (byte)utc.Month, (byte)utc.Day, (byte)utc.Hour, (byte)utc.Minute, (byte)utc.Second, 0];
        date.CopyTo(to[18..]);
        to[25] = (byte)(isFolder ? 2 : 0);
        Both16(to[28..], 1);
        to[32] = (byte)name.Length;
        name.CopyTo(to[33..]);
        return size;
    }

    private static void Padded(Span<byte> field, string text, bool joliet)
    {
        var blank = joliet ? Encoding.BigEndianUnicode.GetBytes(new string(' ', field.Length / 2)) : Encoding.ASCII.GetBytes(new string(' ', field.Length));
        blank.CopyTo(field);
        (joliet ? Encoding.BigEndianUnicode : Encoding.ASCII).GetBytes(text).CopyTo(field);
    }

    private static void Both16(Span<byte> to, short value)
    {
        BinaryPrimitives.WriteInt16LittleEndian(to, value);
        BinaryPrimitives.WriteInt16BigEndian(to[2..], value);
    }

    private static void Both32(Span<byte> to, int value)
    {
        BinaryPrimitives.WriteInt32LittleEndian(to, value);
        BinaryPrimitives.WriteInt32BigEndian(to[4..], value);
    }
}
