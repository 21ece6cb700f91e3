namespace IoTMesh.Gateway.Service;

/// <summary>That the network key is to be changed. The gateway begins once it sees it.</summary>
/// <param name="AtMs">UTC, ms since 1970.</param>
public sealed record RotationRequest(long AtMs, string Who, string Reason)
{
    /// <summary>Its name in the database.</summary>
    internal const string Name = "keys.wanted";
}

/// <summary>The network key and its last change. Times: UTC, ms since 1970, 0 for never.</summary>
/// <param name="Epoch">Number of the key in use.</param>
/// <param name="SinceMs">In use since then.</param>
/// <param name="NextEpoch">Number of the key that devices are being told, 0 where none is.</param>
/// <param name="Reason">Why the last change was begun.</param>
/// <param name="Devices">Devices that it is for.</param>
/// <param name="Missing">Ids of those that have not said that they have the key. After the change: they join again.</param>
public sealed record KeysState(
    uint Epoch, long SinceMs, uint NextEpoch, string Reason, long StartedMs, long EndedMs, int Devices, IReadOnlyList<string> Missing)
{
    /// <summary>Its name in the database.</summary>
    internal const string Name = "keys";

    public bool IsChanging => NextEpoch != 0;

    /// <summary>One line for people.</summary>
    public string Describe()
    {
        int have = Devices - Missing.Count;
        string missing = Missing.Count == 0 ? "" : $"; {(IsChanging ? "waiting for" : "missed it, will join again:")} {string.Join(", ", Missing)}";
        return IsChanging
            ? $"network key {NextEpoch} is on its way ({Reason}): {have} of {Devices} devices have it{missing}"
            : $"network key {Epoch} is in use since {DateTimeOffset.FromUnixTimeMilliseconds(SinceMs).ToLocalTime():yyyy-MM-dd HH:mm:ss}"
                + (EndedMs == 0 ? "" : $" ({Reason}): {have} of {Devices} devices were told before{missing}");
    }
}
