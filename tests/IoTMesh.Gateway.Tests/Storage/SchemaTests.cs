using IoTMesh.Gateway.Storage;
using Microsoft.Data.Sqlite;

namespace IoTMesh.Gateway.Tests.Storage;

/// <summary>A database of an earlier version is brought to this one with all that it holds.</summary>
public sealed class SchemaTests : IDisposable
{
    // As version 1 made it, word for word.
    private const string Version1 = """
        CREATE TABLE device(
            device_id TEXT PRIMARY KEY, address INTEGER NOT NULL UNIQUE, id TEXT NOT NULL UNIQUE, name TEXT NOT NULL,
            model TEXT NOT NULL DEFAULT '', version TEXT NOT NULL DEFAULT '', keys TEXT NOT NULL DEFAULT '[]', enrolled_ms INTEGER NOT NULL);
        CREATE TABLE boot(
            device_id TEXT NOT NULL, boot INTEGER NOT NULL, epoch_ms INTEGER NOT NULL, at_ms INTEGER NOT NULL,
            last_seq INTEGER NOT NULL, last_time_ms INTEGER NOT NULL, PRIMARY KEY(device_id, boot)) WITHOUT ROWID;
        CREATE TABLE peer(
            device_id TEXT PRIMARY KEY, boot INTEGER NOT NULL, counter INTEGER NOT NULL, watermark INTEGER NOT NULL) WITHOUT ROWID;
        CREATE TABLE reading(
            device_id TEXT NOT NULL, boot INTEGER NOT NULL, seq INTEGER NOT NULL, time_ms INTEGER NOT NULL, arrived_ms INTEGER NOT NULL,
            hops INTEGER NOT NULL, rssi_dbm INTEGER NOT NULL, payload BLOB NOT NULL, PRIMARY KEY(device_id, boot, seq)) WITHOUT ROWID;
        CREATE INDEX reading_time ON reading(device_id, time_ms);
        CREATE INDEX reading_arrived ON reading(arrived_ms);
        CREATE TABLE outbox(
            number INTEGER PRIMARY KEY AUTOINCREMENT, device_id TEXT NOT NULL, address INTEGER NOT NULL, boot INTEGER NOT NULL,
            seq INTEGER NOT NULL, time_ms INTEGER NOT NULL, arrived_ms INTEGER NOT NULL, hops INTEGER NOT NULL,
            rssi_dbm INTEGER NOT NULL, payload BLOB NOT NULL);
        PRAGMA user_version=1;
        INSERT INTO device(device_id,address,id,name,enrolled_ms) VALUES('00000000000000aa',7,'node-7','Node 7',1234);
        INSERT INTO outbox(device_id,address,boot,seq,time_ms,arrived_ms,hops,rssi_dbm,payload) VALUES('00000000000000aa',7,1,2,3,4,5,-6,x'01');
        """;

    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("iotmesh-schema-");

    private string Database => Path.Combine(_folder.FullName, "gateway.db");

    [Fact]
    public async Task A_file_of_version_1_opens_with_its_devices_as_members_that_keep_their_derived_keys()
    {
        Execute(Version1);
        using var store = new GatewayStore(Database, _ => null, TimeProvider.System);
        store.Start();
        Device device = Assert.Single(store.LoadDevices());
        Assert.Equal("node-7", device.Id);
        Assert.Equal(new Membership(device.DeviceId, null, 0, 1234, 0), Assert.Single(store.LoadMemberships()));
        Assert.Equal(1, store.OutboxDepth);
        await store.AuditAsync("me", "test", "it", "done");
        Assert.Equal("done", Assert.Single(store.ReadAudit(0, 10)).Result);
    }

    [Fact]
    public void A_file_of_a_later_version_is_left_alone()
    {
        Execute("PRAGMA user_version=99");
        StorageException error = Assert.Throws<StorageException>(() => new GatewayStore(Database, _ => null, TimeProvider.System));
        Assert.Contains("newer version", error.Message);
        Assert.DoesNotContain('\n', error.Message);
    }

    [Fact]
    public async Task The_audit_drops_its_oldest_entries_and_cuts_long_texts()
    {
        using var store = new GatewayStore(Database, _ => null, TimeProvider.System);
        store.Start();
        await store.AuditAsync("me", "first", "it", new string('x', 1000));
        Assert.Equal(200, Assert.Single(store.ReadAudit(0, 10)).Result.Length);
        Execute($"UPDATE sqlite_sequence SET seq={GatewayStore.AuditMax} WHERE name='audit'");
        await store.AuditAsync("me", "second", "it", "done");
        Assert.Equal("second", Assert.Single(store.ReadAudit(0, 10)).What);
    }

    public void Dispose()
    {
        _folder.Delete(recursive: true);
    }

    private void Execute(string sql)
    {
        using var connection = new SqliteConnection(new SqliteConnectionStringBuilder { DataSource = Database, Pooling = false }.ConnectionString);
        connection.Open();
        using SqliteCommand command = connection.CreateCommand();
        command.CommandText = sql;
        command.ExecuteNonQuery();
    }
}
