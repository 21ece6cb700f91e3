using IoTMesh.Gateway.Storage;

namespace IoTMesh.Gateway.Site;

/// <summary>What became of a change of join windows.</summary>
/// <param name="Minutes">0: closed.</param>
/// <param name="Changed">Devices that have not joined yet, whose window it was.</param>
public sealed record JoinWindowResult(int Minutes, IReadOnlyList<Device> Changed)
{
    /// <summary>One line for people.</summary>
    public string Describe()
    {
        string who = Changed.Count == 0 ? "every device has joined already or is revoked" : string.Join(", ", Changed.Select(d => d.Id));
        return Changed.Count == 0 ? who : Minutes == 0 ? $"closed for {who}" : $"open for {Minutes} min: {who}";
    }
}

/// <summary>The time in which enrolled devices may join for the first time; the command line, REST and MQTT share it.</summary>
public static class JoinWindow
{
    public const int DefaultMinutes = 60;
    public const int MinutesMax = 7 * 24 * 60;

    /// <summary>Opens the window of devices that have not joined yet, or closes it.</summary>
    /// <param name="chosen">Null: all.</param>
    /// <param name="minutes">0 closes.</param>
    public static async Task<JoinWindowResult> SetAsync(
        GatewayStore store, IReadOnlyList<Device> devices, IReadOnlyList<Membership> memberships, IReadOnlyList<Device>? chosen, int minutes,
        string who, TimeProvider time, CancellationToken cancellationToken)
    {
        HashSet<string> outside = [.. memberships.Where(m => !m.HasJoined && !m.IsRevoked).Select(m => m.DeviceId)];
        List<Device> changed = [.. (chosen ?? devices).Where(d => outside.Contains(d.DeviceId))];
        long untilMs = minutes == 0 ? 0 : (time.GetUtcNow() + TimeSpan.FromMinutes(minutes)).ToUnixTimeMilliseconds();
        await store.PermitJoinAsync(changed, untilMs, cancellationToken);
        string target = chosen is null ? "all" : string.Join(", ", chosen.Select(d => d.Id));
        var result = new JoinWindowResult(minutes, changed);
        await store.AuditAsync(who, "permit-join", target, result.Describe(), cancellationToken);
        return result;
    }
}
