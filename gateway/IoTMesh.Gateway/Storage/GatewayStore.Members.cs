using System.Text.Json;
using Microsoft.Data.Sqlite;

namespace IoTMesh.Gateway.Storage;

/// <content>Who may be a member, the audit, and small pieces of state that commands and the running gateway share.</content>
public sealed partial class GatewayStore
{
    /// <summary>Entries of the audit that are kept; above it the oldest are deleted.</summary>
    public const int AuditMax = 100_000;

    private const int AuditTextMax = 200;

    public IReadOnlyList<Membership> LoadMemberships()
    {
        return _reader.Memberships();
    }

    /// <summary>Enrols a device with a secret of its own.</summary>
    /// <param name="sealedSecret">As it is stored; null where the key derives from the site's secret.</param>
    public Task EnrollAsync(Device device, byte[]? sealedSecret, long permitUntilMs, CancellationToken cancellationToken = default)
    {
        long nowMs = _time.GetUtcNow().ToUnixTimeMilliseconds();
        return ChangeAsync(
            transaction =>
            {
                _writer.SaveDevice(transaction, device, nowMs);
                _writer.Execute(
                    transaction, "UPDATE membership SET secret=$secret,permit_until_ms=$until WHERE device_id=$device",
                    ("$secret", (object?)sealedSecret ?? DBNull.Value), ("$until", permitUntilMs), ("$device", device.DeviceId));
            },
            cancellationToken);
    }

    /// <summary>Lets devices join for the first time until then; 0 ends it at once.</summary>
    public Task PermitJoinAsync(IReadOnlyList<Device> devices, long untilMs, CancellationToken cancellationToken = default)
    {
        return UpdateMembersAsync(devices, "permit_until_ms=$value", untilMs, cancellationToken);
    }

    /// <summary>The device has joined; a first time is kept.</summary>
    public Task NoteJoinedAsync(Device device, CancellationToken cancellationToken = default)
    {
        long nowMs = _time.GetUtcNow().ToUnixTimeMilliseconds();
        return UpdateMembersAsync([device], "joined_ms=CASE joined_ms WHEN 0 THEN $value ELSE joined_ms END", nowMs, cancellationToken);
    }

    /// <summary>Takes the device's membership away, for good.</summary>
    public Task RevokeAsync(Device device, CancellationToken cancellationToken = default)
    {
        long nowMs = _time.GetUtcNow().ToUnixTimeMilliseconds();
        return UpdateMembersAsync([device], "revoked_ms=CASE revoked_ms WHEN 0 THEN $value ELSE revoked_ms END", nowMs, cancellationToken);
    }

    /// <summary>Writes an entry of the audit; completes when it is durable. Texts are cut at 200 characters.</summary>
    public Task AuditAsync(string who, string what, string target, string result, CancellationToken cancellationToken = default)
    {
        return ChangeAsync(WriteAudit(who, what, target, result), cancellationToken);
    }

    /// <summary>Posts an entry of the audit; never waits. False: the inbox is full, and the entry is lost.</summary>
    public bool TryAudit(string who, string what, string target, string result)
    {
        return _inbox.Writer.TryWrite(new ChangeJob(WriteAudit(who, what, target, result), new TaskCompletionSource()));
    }

    /// <summary>The audit from that moment on (UTC, ms), newest first.</summary>
    public IReadOnlyList<AuditEntry> ReadAudit(long fromMs, int limit)
    {
        return _reader.Audit(fromMs, limit);
    }

    /// <summary>A value kept under a name, or null.</summary>
    public T? ReadState<T>(string name)
        where T : class
    {
        return _reader.State(name) is { } json ? JsonSerializer.Deserialize<T>(json) : null;
    }

    /// <summary>Keeps a value under a name.</summary>
    public Task SaveStateAsync<T>(string name, T value, CancellationToken cancellationToken = default)
        where T : class
    {
        string json = JsonSerializer.Serialize(value);
        return ChangeAsync(
            transaction => _writer.Execute(transaction, "INSERT OR REPLACE INTO state VALUES($name,$value)", ("$name", name), ("$value", json)),
            cancellationToken);
    }

    private Action<SqliteTransaction> WriteAudit(string who, string what, string target, string result)
    {
        long nowMs = _time.GetUtcNow().ToUnixTimeMilliseconds();
        return transaction =>
        {
            _writer.Execute(
                transaction, "INSERT INTO audit(time_ms,who,what,target,result) VALUES($time,$who,$what,$target,$result)",
                ("$time", nowMs), ("$who", Cut(who)), ("$what", Cut(what)), ("$target", Cut(target)), ("$result", Cut(result)));
            _writer.Execute(transaction, "DELETE FROM audit WHERE number<=(SELECT MAX(number) FROM audit)-$max", ("$max", AuditMax));
        };
    }

    private Task UpdateMembersAsync(IReadOnlyList<Device> devices, string assignment, long value, CancellationToken cancellationToken)
    {
        return ChangeAsync(
            transaction =>
            {
                foreach (Device device in devices)
                {
                    _writer.Execute(
                        transaction, $"UPDATE membership SET {assignment} WHERE device_id=$device", ("$value", value), ("$device", device.DeviceId));
                }
            },
            cancellationToken);
    }

    private async Task ChangeAsync(Action<SqliteTransaction> change, CancellationToken cancellationToken)
    {
        var job = new ChangeJob(change, new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously));
        await _inbox.Writer.WriteAsync(job, cancellationToken);
        await job.Done.Task.WaitAsync(cancellationToken);
    }

    private static string Cut(string text)
    {
        return text.Length <= AuditTextMax ? text : text[..(AuditTextMax - 1)] + "…";
    }
}
