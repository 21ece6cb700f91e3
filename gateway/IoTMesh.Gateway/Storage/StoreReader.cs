using System.Text.Json;
using Microsoft.Data.Sqlite;

namespace IoTMesh.Gateway.Storage;

/// <summary>Queries. Each call uses a connection of its own, so that they run beside the writer (WAL).</summary>
internal sealed class StoreReader(string file)
{
    private const int BeyondMax = 4096;

    internal List<Device> Devices()
    {
        return Query("SELECT device_id,address,id,name,model,version,keys FROM device ORDER BY address", r => new Device(
            r.GetString(0), (ushort)r.GetInt32(1), r.GetString(2), r.GetString(3), r.GetString(4), r.GetString(5),
            JsonSerializer.Deserialize<List<DeviceKey>>(r.GetString(6)) ?? []));
    }

    internal List<Membership> Memberships()
    {
        return Query("SELECT device_id,secret,permit_until_ms,joined_ms,revoked_ms FROM membership ORDER BY device_id", r => new Membership(
            r.GetString(0), r.IsDBNull(1) ? null : (byte[])r.GetValue(1), r.GetInt64(2), r.GetInt64(3), r.GetInt64(4)));
    }

    internal List<AuditEntry> Audit(long fromMs, int limit)
    {
        return Query(
            "SELECT time_ms,who,what,target,result FROM audit WHERE time_ms>=$from ORDER BY number DESC LIMIT $limit",
            r => new AuditEntry(r.GetInt64(0), r.GetString(1), r.GetString(2), r.GetString(3), r.GetString(4)),
            ("$from", fromMs), ("$limit", limit));
    }

    internal string? State(string name)
    {
        return Query("SELECT value FROM state WHERE name=$name", r => r.GetString(0), ("$name", name)).FirstOrDefault();
    }

    internal List<(string Device, ushort Boot, TimeMap.BootClock Clock)> Boots()
    {
        return Query("SELECT device_id,boot,epoch_ms,at_ms,last_seq,last_time_ms FROM boot", r => (
            r.GetString(0), (ushort)r.GetInt32(1), new TimeMap.BootClock
            {
                EpochMs = r.GetInt64(2),
                AtMs = r.GetInt64(3),
                LastSeq = (uint)r.GetInt64(4),
                LastTimeMs = r.GetInt64(5),
            }));
    }

    internal List<PeerState> Peers()
    {
        var rows = Query(
            "SELECT p.device_id,d.address,p.boot,p.counter,p.watermark,b.epoch_ms FROM peer p JOIN device d ON d.device_id=p.device_id "
            + "LEFT JOIN boot b ON b.device_id=p.device_id AND b.boot=p.boot",
            r => (Device: r.GetString(0), Address: (ushort)r.GetInt32(1), Boot: (ushort)r.GetInt32(2), Counter: (uint)r.GetInt64(3),
                Watermark: (uint)r.GetInt64(4), EpochMs: r.IsDBNull(5) ? (long?)null : r.GetInt64(5)));
        return rows.ConvertAll(p => new PeerState(p.Address, p.Boot, p.Counter, p.Watermark, Query(
            "SELECT seq FROM reading WHERE device_id=$device AND boot=$boot AND seq>$seq ORDER BY seq LIMIT $limit", r => (uint)r.GetInt64(0),
            ("$device", p.Device), ("$boot", p.Boot), ("$seq", p.Watermark), ("$limit", BeyondMax)), p.EpochMs));
    }

    internal List<OutboxRow> Outbox(long after, int limit)
    {
        return Query(
            "SELECT number,device_id,address,boot,seq,time_ms,arrived_ms,hops,rssi_dbm,payload FROM outbox "
            + "WHERE number>$after ORDER BY number LIMIT $limit",
            r => new OutboxRow(r.GetInt64(0), new StoredReading(
                r.GetString(1), (ushort)r.GetInt32(2), (ushort)r.GetInt32(3), (uint)r.GetInt64(4), r.GetInt64(5), r.GetInt64(6),
                r.GetInt32(7), r.GetInt32(8), (byte[])r.GetValue(9))),
            ("$after", after), ("$limit", limit));
    }

    internal OutboxState OutboxState()
    {
        return Query("SELECT COUNT(*),COALESCE(SUM(LENGTH(payload)+80),0),COALESCE(MIN(arrived_ms),0) FROM outbox", r => new OutboxState(
            r.GetInt64(0), r.GetInt64(1), r.GetInt64(2)))[0];
    }

    internal List<StoredReading> Readings(string deviceId, ushort address, long fromMs, long toMs, int limit)
    {
        return Query(
            "SELECT boot,seq,time_ms,arrived_ms,hops,rssi_dbm,payload FROM reading WHERE device_id=$device AND time_ms>=$from AND time_ms<=$to "
            + "ORDER BY time_ms DESC LIMIT $limit",
            r => new StoredReading(deviceId, address, (ushort)r.GetInt32(0), (uint)r.GetInt64(1), r.GetInt64(2), r.GetInt64(3), r.GetInt32(4),
                r.GetInt32(5), (byte[])r.GetValue(6)),
            ("$device", deviceId), ("$from", fromMs), ("$to", toMs), ("$limit", limit));
    }

    private List<T> Query<T>(string sql, Func<SqliteDataReader, T> read, params (string Name, object Value)[] parameters)
    {
        using SqliteConnection connection = Schema.Open(file, readOnly: true);
        using SqliteCommand command = connection.CreateCommand();
        command.CommandText = sql;
        foreach ((string name, object value) in parameters)
        {
            command.Parameters.AddWithValue(name, value);
        }

        var rows = new List<T>();
        using SqliteDataReader reader = command.ExecuteReader();
        while (reader.Read())
        {
            rows.Add(read(reader));
        }

        return rows;
    }
}
