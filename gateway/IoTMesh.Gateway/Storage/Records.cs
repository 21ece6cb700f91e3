namespace IoTMesh.Gateway.Storage;

/// <summary>A message that the mesh delivered to the gateway, copied out of the mesh thread.</summary>
/// <param name="Origin">Mesh address of the sender.</param>
/// <param name="ArrivedMs">UTC, ms since 1970.</param>
/// <param name="MeasuredUptimeMs">Readings: the origin's uptime when measured.</param>
/// <param name="OriginUptimeMs">Readings: the origin's uptime when this copy left it.</param>
/// <param name="IsKept">Readings: of an earlier boot of the origin; OriginUptimeMs is then the least that boot's could be.</param>
public sealed record Delivery(
    ushort Origin,
    byte Port,
    byte Hops,
    int RssiDbm,
    bool IsReading,
    ushort Boot,
    uint ReadingSeq,
    long MeasuredUptimeMs,
    long OriginUptimeMs,
    uint Counter,
    byte[] Payload,
    long ArrivedMs,
    bool IsKept = false);

/// <summary>An enrolled device.</summary>
/// <param name="DeviceId">64 bits as 16 hex digits; names the device in storage.</param>
/// <param name="Id">Its name in topics and pages, <c>[a-z0-9-]</c>.</param>
/// <param name="Keys">Keys that set and get know, as the device announced them.</param>
public sealed record Device(string DeviceId, ushort Address, string Id, string Name, string Model, string Version, IReadOnlyList<DeviceKey> Keys);

/// <summary>A key for set and get.</summary>
/// <param name="Type">bool, integer or text.</param>
public sealed record DeviceKey(string Key, string Type, bool Writable);

/// <summary>A reading with its original time.</summary>
/// <param name="TimeMs">When it was measured: UTC, ms since 1970.</param>
/// <param name="Payload">The object list as it came.</param>
public sealed record StoredReading(
    string DeviceId, ushort Address, ushort Boot, uint Seq, long TimeMs, long ArrivedMs, int Hops, int RssiDbm, byte[] Payload);

/// <summary>A reading that the broker has not acknowledged.</summary>
public sealed record OutboxRow(long Number, StoredReading Reading);

/// <summary>What the mesh core must know of a device after a restart.</summary>
/// <param name="Watermark">All readings of that boot up to this one are committed.</param>
/// <param name="Beyond">Committed readings above the watermark.</param>
/// <param name="EpochMs">When that boot began: UTC, ms since 1970; null where it is not known.</param>
public sealed record PeerState(ushort Address, ushort Boot, uint Counter, uint Watermark, IReadOnlyList<uint> Beyond, long? EpochMs = null);

/// <summary>How much waits for the broker.</summary>
public sealed record OutboxState(long Depth, long Bytes, long OldestMs);
