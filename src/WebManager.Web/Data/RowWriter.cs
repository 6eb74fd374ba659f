// Prepared statements made from the EF model, so that commits cost no change tracking and the two never disagree.
using System.Data.Common;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata;
using Microsoft.EntityFrameworkCore.Storage;

namespace WebManager.Web.Data;

/// <summary>Writes and deletes rows of one table on one connection. Not for two threads.</summary>
internal sealed class RowWriter<T> : IDisposable where T : class
{
    private readonly List<(IProperty Property, ValueConverterFunc? Convert)> _columns;
    private readonly DbCommand _insert, _update, _upsert, _delete;
    private readonly int _revision;
    private readonly ValueConverterFunc? _keyConvert;

    private delegate object? ValueConverterFunc(object? value);

    public RowWriter(PortalDb db, DbConnection connection)
    {
        var type = db.Model.FindEntityType(typeof(T))!;
        var table = Quote(type.GetTableName()!);
        var mapped = type.GetProperties().Where(p => p.PropertyInfo is not null).ToList();
        _columns = [.. mapped.Select(p => (p, ConverterOf(p)))];
        _revision = mapped.FindIndex(p => p.Name == "Revision");
        var keys = type.FindPrimaryKey()!.Properties.Where(p => p.PropertyInfo is not null).ToList();
        string Name(IProperty p) => Quote(p.GetColumnName());
        string Slot(IProperty p) => "@p" + mapped.IndexOf(p);
        var columns = string.Join(", ", mapped.Select(Name));
        var values = string.Join(", ", mapped.Select(Slot));
        var key = string.Join(" AND ", keys.Select(p => $"{Name(p)} = {Slot(p)}"));
        var sets = string.Join(", ", mapped.Except(keys).Select(p => $"{Name(p)} = {Slot(p)}"));
        var conflict = keys.Count == 0 ? "" : $" ON CONFLICT ({string.Join(", ", keys.Select(Name))})";
        _insert = Command(connection, $"INSERT INTO {table} ({columns}) VALUES ({values})" + (conflict.Length == 0 ? "" : conflict + " DO NOTHING"));
        _upsert = Command(connection, $"INSERT INTO {table} ({columns}) VALUES ({values})" + (conflict.Length == 0 ? "" : $"{conflict} DO UPDATE SET {sets}"));
        _update = Command(connection, _revision < 0 || keys.Count == 0 ? "" : $"UPDATE {table} SET {sets} WHERE {key} AND {Quote("Revision")} = @p{_revision} - 1");
        _delete = connection.CreateCommand();
        _delete.CommandText = keys.Count == 1 ? $"DELETE FROM {table} WHERE {Name(keys[0])} = @key" : "";
        AddParameter(_delete, "@key");
        _keyConvert = keys.Count == 1 ? ConverterOf(keys[0]) : null;
    }

    /// <summary>False when the stored revision is not the one before this row's.</summary>
    public bool Write(T row, DbTransaction transaction)
    {
        var revision = (long)_columns[_revision].Property.PropertyInfo!.GetValue(row)!;
        return Run(revision == 1 ? _insert : _update, row, transaction) == 1;
    }

    /// <summary>False when there is a row of this key already; it stays as it is.</summary>
    public bool Insert(T row, DbTransaction transaction) => Run(_insert, row, transaction) == 1;

    public void Upsert(T row, DbTransaction transaction) => Run(_upsert, row, transaction);

    public void Delete(object key, DbTransaction transaction)
    {
        _delete.Transaction = transaction;
        _delete.Parameters[0].Value = _keyConvert is null ? key : _keyConvert(key);
        _delete.ExecuteNonQuery();
    }

    public void Dispose()
    {
        _insert.Dispose();
        _update.Dispose();
        _upsert.Dispose();
        _delete.Dispose();
    }

    private int Run(DbCommand command, T row, DbTransaction transaction)
    {
        command.Transaction = transaction;
        for (var i = 0; i < _columns.Count; i++)
        {
            var (property, convert) = _columns[i];
            var value = property.PropertyInfo!.GetValue(row);
            command.Parameters[i].Value = (value is not null && convert is not null ? convert(value) : value) ?? DBNull.Value;
        }
        return command.ExecuteNonQuery();
    }

    private DbCommand Command(DbConnection connection, string sql)
    {
        var command = connection.CreateCommand();
        command.CommandText = sql;
        for (var i = 0; i < _columns.Count; i++) { AddParameter(command, "@p" + i); }
        return command;
    }

    private static void AddParameter(DbCommand command, string name)
    {
        var parameter = command.CreateParameter();
        parameter.ParameterName = name;
        command.Parameters.Add(parameter);
    }

    private static ValueConverterFunc? ConverterOf(IProperty property) =>
        property.GetRelationalTypeMapping().Converter is { } converter ? value => converter.ConvertToProvider(value) : null;

    private static string Quote(string name) => '"' + name + '"';
}
