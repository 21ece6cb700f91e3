namespace IoTMesh.Gateway.Storage;

/// <summary>What the owner allows a device. Times: UTC, ms since 1970; 0 for never.</summary>
/// <param name="SealedSecret">The device's own secret as it is stored; null where its key derives from the site's secret.</param>
/// <param name="PermitUntilMs">Until then it may join for the first time.</param>
/// <param name="JoinedMs">When it first joined; from then on it may join again whenever it has to.</param>
/// <param name="RevokedMs">When its membership was taken away, for good.</param>
public sealed record Membership(string DeviceId, byte[]? SealedSecret, long PermitUntilMs, long JoinedMs, long RevokedMs)
{
    public bool IsRevoked => RevokedMs != 0;

    public bool HasJoined => JoinedMs != 0;

    /// <summary>True where it may join for the first time at that moment.</summary>
    public bool IsPermitted(long nowMs)
    {
        return nowMs < PermitUntilMs;
    }
}

/// <summary>Who did what to what, and how it ended.</summary>
/// <param name="TimeMs">UTC, ms since 1970.</param>
/// <param name="Who">For example <c>cli anna</c>, <c>mqtt</c>, or the gateway itself.</param>
/// <param name="What">join, command, rename, remove, enroll, permit-join, revoke, rotate-keys.</param>
public sealed record AuditEntry(long TimeMs, string Who, string What, string Target, string Result);
