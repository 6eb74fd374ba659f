// The audit as a file: JSON, and CSV (RFC 4180) that no spreadsheet takes for formulas.
using System.Globalization;
using System.Text;
using System.Text.Json;
using WebManager.Contracts;
using WebManager.Contracts.Api;
using WebManager.Web.Data;

namespace WebManager.Web.Audit;

internal static class AuditFiles
{
    private const string Heads = "serial,at,user,face,address,operation,subject,result,job,reason,previous,hash\r\n";

    public static AuditView View(this AuditRow a) => new(a.Serial, a.At, a.User, a.Face, a.Address, a.Operation, a.Subject, a.Result, a.Job, a.Reason, a.Previous, a.Hash);

    public static async Task WriteJsonAsync(IAsyncEnumerable<AuditRow> rows, Stream to, CancellationToken ct)
    {
        await using var text = new StreamWriter(to, new UTF8Encoding(false), 1 << 15, leaveOpen: true);
        var between = "[\n";
        await foreach (var row in rows.WithCancellation(ct))
        {
            await text.WriteAsync(between);
            await text.WriteAsync(JsonSerializer.Serialize(row.View(), WireJson.Options));
            between = ",\n";
        }
        await text.WriteAsync(between == "[\n" ? "[]\n" : "\n]\n");
    }

    public static async Task WriteCsvAsync(IAsyncEnumerable<AuditRow> rows, Stream to, CancellationToken ct)
    {
        await using var text = new StreamWriter(to, new UTF8Encoding(false), 1 << 15, leaveOpen: true);
        await text.WriteAsync(Heads);
        await foreach (var a in rows.WithCancellation(ct))
        {
            await text.WriteAsync(string.Join(',', new[]
            {
                Number(a.Serial), a.At.UtcDateTime.ToString("O", CultureInfo.InvariantCulture), Cell(a.User), Cell(a.Face), Cell(a.Address), Cell(a.Operation), Cell(a.Subject), Cell(a.Result),
                a.Job is { } job ? Number(job) : "", Cell(a.Reason), a.Previous, a.Hash,
            }));
            await text.WriteAsync("\r\n");
        }
    }

    /// <summary>Quoted where RFC 4180 asks for it. What a spreadsheet would calculate gets an apostrophe before it: it is text.</summary>
    public static string Cell(string? text)
    {
        if (string.IsNullOrEmpty(text)) { return ""; }
        if (text[0] is '=' or '+' or '-' or '@' or '\t' or '\r') { text = "'" + text; }
        return text.AsSpan().IndexOfAny("\",\r\n") < 0 ? text : $"\"{text.Replace("\"", "\"\"", StringComparison.Ordinal)}\"";
    }

    private static string Number(long number) => number.ToString(CultureInfo.InvariantCulture);
}
