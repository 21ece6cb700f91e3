using System.Text.Json;
using Microsoft.Data.Sqlite;

namespace IoTMesh.Gateway.Storage;

/// <summary>The statements that change the database, prepared once. Used by the one writer thread, inside its transaction.</summary>
internal sealed class StoreWriter : IDisposable
{
    private readonly SqliteConnection _connection;
    private readonly SqliteCommand _insertReading;
    private readonly SqliteCommand _insertOutbox;
    private readonly SqliteCommand _deleteOutbox;
    private readonly SqliteCommand _saveBoot;
    private readonly SqliteCommand _savePeer;
    private readonly SqliteCommand _saveDevice;

    internal StoreWriter(SqliteConnection connection)
    {
        _connection = connection;
        _insertReading = Prepare(
            "INSERT OR IGNORE INTO reading VALUES($device,$boot,$seq,$time,$arrived,$hops,$rssi,$payload)",
            "$device", "$boot", "$seq", "$time", "$arrived", "$hops", "$rssi", "$payload");
        _insertOutbox = Prepare(
            "INSERT INTO outbox(device_id,address,boot,seq,time_ms,arrived_ms,hops,rssi_dbm,payload) "
            + "VALUES($device,$address,$boot,$seq,$time,$arrived,$hops,$rssi,$payload)",
            "$device", "$address", "$boot", "$seq", "$time", "$arrived", "$hops", "$rssi", "$payload");
        _deleteOutbox = Prepare("DELETE FROM outbox WHERE number=$number", "$number");
        _saveBoot = Prepare(
            "INSERT OR REPLACE INTO boot VALUES($device,$boot,$epoch,$at,$seq,$time)", "$device", "$boot", "$epoch", "$at", "$seq", "$time");
        _savePeer = Prepare("INSERT OR REPLACE INTO peer VALUES($device,$boot,$counter,$watermark)", "$device", "$boot", "$counter", "$watermark");
        _saveDevice = Prepare(
            "INSERT INTO device(device_id,address,id,name,model,version,keys,enrolled_ms) "
            + "VALUES($device,$address,$id,$name,$model,$version,$keys,$now) "
            + "ON CONFLICT(device_id) DO UPDATE SET id=$id,name=$name,model=$model,version=$version,keys=$keys",
            "$device", "$address", "$id", "$name", "$model", "$version", "$keys", "$now");
    }

    internal SqliteTransaction Begin()
    {
        return _connection.BeginTransaction(deferred: false);
    }

    /// <summary>False where the reading is there already.</summary>
    internal bool InsertReading(SqliteTransaction transaction, StoredReading r)
    {
        return Run(_insertReading, transaction, r.DeviceId, r.Boot, r.Seq, r.TimeMs, r.ArrivedMs, r.Hops, r.RssiDbm, r.Payload) == 1;
    }

    internal void InsertOutbox(SqliteTransaction transaction, StoredReading r)
    {
        Run(_insertOutbox, transaction, r.DeviceId, r.Address, r.Boot, r.Seq, r.TimeMs, r.ArrivedMs, r.Hops, r.RssiDbm, r.Payload);
    }

    internal bool DeleteOutbox(SqliteTransaction transaction, long number)
    {
        return Run(_deleteOutbox, transaction, number) == 1;
    }

    internal void SaveBoot(SqliteTransaction transaction, string device, ushort boot, TimeMap.BootClock c)
    {
        Run(_saveBoot, transaction, device, boot, c.EpochMs, c.AtMs, c.LastSeq, c.LastTimeMs);
    }

    internal void SavePeer(SqliteTransaction transaction, string device, ushort boot, uint counter, uint watermark)
    {
        Run(_savePeer, transaction, device, boot, counter, watermark);
    }

    internal void SaveDevice(SqliteTransaction transaction, Device d, long nowMs)
    {
        Run(_saveDevice, transaction, d.DeviceId, d.Address, d.Id, d.Name, d.Model, d.Version, JsonSerializer.Serialize(d.Keys), nowMs);
        Execute(
            transaction, "INSERT OR IGNORE INTO membership(device_id,permit_until_ms) VALUES($device,$until)",
            ("$device", d.DeviceId), ("$until", nowMs + Schema.EnrolmentWindowMs));
    }

    /// <summary>A statement that is too rare to be kept prepared; how many rows it changed.</summary>
    internal int Execute(SqliteTransaction transaction, string sql, params (string Name, object Value)[] parameters)
    {
        using SqliteCommand command = _connection.CreateCommand();
        command.Transaction = transaction;
        command.CommandText = sql;
        foreach ((string name, object value) in parameters)
        {
            command.Parameters.AddWithValue(name, value);
        }

        return command.ExecuteNonQuery();
    }

    internal void DeleteDevice(SqliteTransaction transaction, string deviceId)
    {
        foreach (string table in (string[])["device", "boot", "peer", "reading", "outbox", "membership"])
        {
            Execute(transaction, $"DELETE FROM {table} WHERE device_id=$device", ("$device", deviceId));
        }
    }

    /// <summary>Deletes some of the readings that are too old; how many.</summary>
    internal int Prune(SqliteTransaction transaction, long beforeMs, int limit)
    {
        using SqliteCommand command = _connection.CreateCommand();
        command.Transaction = transaction;
        command.CommandText = "DELETE FROM reading WHERE (device_id,boot,seq) IN "
            + "(SELECT device_id,boot,seq FROM reading WHERE arrived_ms<$before ORDER BY arrived_ms LIMIT $limit)";
        command.Parameters.AddWithValue("$before", beforeMs);
        command.Parameters.AddWithValue("$limit", limit);
        return command.ExecuteNonQuery();
    }

    public void Dispose()
    {
        foreach (SqliteCommand command in (SqliteCommand[])[_insertReading, _insertOutbox, _deleteOutbox, _saveBoot, _savePeer, _saveDevice])
        {
            command.Dispose();
        }
    }

    private SqliteCommand Prepare(string sql, params string[] names)
    {
        SqliteCommand command = _connection.CreateCommand();
        command.CommandText = sql;
        foreach (string name in names)
        {
            command.Parameters.Add(new SqliteParameter { ParameterName = name });
        }

        return command;
    }

    private static int Run(SqliteCommand command, SqliteTransaction transaction, params object[] values)
    {
        command.Transaction = transaction;
        for (int i = 0; i < values.Length; i++)
        {
            command.Parameters[i].Value = values[i];
        }

        return command.ExecuteNonQuery();
    }
}
