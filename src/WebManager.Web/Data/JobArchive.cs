// Archiving many jobs in one statement: they are marked where they lie, and the lists of recent ones leave them out.
using System.Data.Common;
using WebManager.Engine.Ports;

namespace WebManager.Web.Data;

internal sealed class JobArchive : IDisposable
{
    private readonly List<DbCommand> _commands;

    public JobArchive(DbConnection connection)
    {
        // The search's rows know whether a job has ended, and have the index.
        _commands =
        [
            Command(connection, "UPDATE \"jobs\" SET \"ArchivedAt\" = @at WHERE \"Id\" IN (SELECT \"Job\" FROM \"job_search\" WHERE \"ArchivedAt\" IS NULL AND \"EndedAt\" IS NOT NULL AND (\"Job\" = @job OR \"EndedAt\" < @before))"),
            Command(connection, "UPDATE \"job_search\" SET \"ArchivedAt\" = @at WHERE \"ArchivedAt\" IS NULL AND \"EndedAt\" IS NOT NULL AND (\"Job\" = @job OR \"EndedAt\" < @before)"),
        ];
    }

    public void Run(ArchiveOrder order, DbTransaction transaction)
    {
        foreach (var command in _commands)
        {
            command.Transaction = transaction;
            command.Parameters[0].Value = order.At.UtcTicks;
            command.Parameters[1].Value = order.Job ?? -1;
            command.Parameters[2].Value = order.EndedBefore?.UtcTicks ?? 0;
            command.ExecuteNonQuery();
        }
    }

    private static DbCommand Command(DbConnection connection, string sql)
    {
        var command = connection.CreateCommand();
        command.CommandText = sql;
        foreach (var name in new[] { "@at", "@job", "@before" })
        {
            var parameter = command.CreateParameter();
            parameter.ParameterName = name;
            command.Parameters.Add(parameter);
        }
        return command;
    }

    public void Dispose() => _commands.ForEach(c => c.Dispose());
}
