using Microsoft.Data.Sqlite;

namespace IoTMesh.Gateway.Storage;

/// <summary>Tables of the gateway's database, by version (PRAGMA user_version).</summary>
internal static class Schema
{
    private const long Version = 2;

    /// <summary>How long a device may join after it was enrolled, ms.</summary>
    internal const long EnrolmentWindowMs = 24 * 3_600_000L;

    private const string Tables = """
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
        """;

    // secret: sealed, or null where the device's key derives from the site's secret. The rest: UTC, ms since 1970; 0 for never.
    private const string TablesOfVersion2 = """
        CREATE TABLE membership(
            device_id TEXT PRIMARY KEY, secret BLOB, permit_until_ms INTEGER NOT NULL DEFAULT 0, joined_ms INTEGER NOT NULL DEFAULT 0,
            revoked_ms INTEGER NOT NULL DEFAULT 0) WITHOUT ROWID;
        CREATE TABLE audit(
            number INTEGER PRIMARY KEY AUTOINCREMENT, time_ms INTEGER NOT NULL, who TEXT NOT NULL, what TEXT NOT NULL, target TEXT NOT NULL,
            result TEXT NOT NULL);
        CREATE TABLE state(name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
        """;

    // Devices of version 1 had the network key from their enrolment on: they are members.
    private const string MembersOfVersion1 = "INSERT INTO membership(device_id,joined_ms) SELECT device_id,enrolled_ms FROM device;";

    /// <summary>Opens the database and brings it to this version. Throws <see cref="StorageException"/> where it cannot.</summary>
    public static SqliteConnection Open(string file, bool readOnly)
    {
        SqliteConnection? connection = null;
        try
        {
            var builder = new SqliteConnectionStringBuilder
            {
                DataSource = file,
                Mode = readOnly ? SqliteOpenMode.ReadOnly : SqliteOpenMode.ReadWriteCreate,
                DefaultTimeout = 10,
                Pooling = false,
            };
            connection = new SqliteConnection(builder.ConnectionString);
            connection.Open();

            // FULL: a reading is released from its node's custody after the commit, so the commit must survive a power cut.
            Execute(connection, "PRAGMA busy_timeout=10000; PRAGMA synchronous=FULL;");
            if (!readOnly)
            {
                Execute(connection, "PRAGMA journal_mode=WAL;");
                Migrate(connection, file);
            }

            return connection;
        }
        catch (SqliteException e)
        {
            connection?.Dispose();
            throw new StorageException($"{file}: cannot be opened as the gateway's database: {e.Message}", e);
        }
        catch (StorageException)
        {
            connection?.Dispose();
            throw;
        }
    }

    private static void Migrate(SqliteConnection connection, string file)
    {
        using SqliteTransaction transaction = connection.BeginTransaction(deferred: false);
        using SqliteCommand ask = connection.CreateCommand();
        ask.CommandText = "PRAGMA user_version";
        long version = (long)ask.ExecuteScalar()!;
        if (version > Version)
        {
            throw new StorageException($"{file}: was written by a newer version of iotmesh (format {version}, this one knows {Version})");
        }

        if (version == 0)
        {
            Execute(connection, Tables);
        }

        if (version < Version)
        {
            Execute(connection, TablesOfVersion2 + MembersOfVersion1 + $"PRAGMA user_version={Version};");
        }

        transaction.Commit();
    }

    private static void Execute(SqliteConnection connection, string sql)
    {
        using SqliteCommand command = connection.CreateCommand();
        command.CommandText = sql;
        command.ExecuteNonQuery();
    }
}

/// <summary>The database cannot be used: one line that names the file.</summary>
public sealed class StorageException(string message, Exception? inner = null) : Exception(message, inner);
