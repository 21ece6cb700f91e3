namespace IoTMesh.Gateway.Live;

/// <summary>What the pages and the topology topic show: an immutable picture of the mesh as the gateway knows it.</summary>
/// <param name="Version">Grows with every change.</param>
public sealed record MeshView(
    long Version,
    string Site,
    string GatewayId,
    IReadOnlyList<NodeView> Nodes,
    IReadOnlyList<LinkView> Links,
    IReadOnlyList<EventView> Events,
    OutboxView Outbox);

/// <summary>One node; the gateway itself is in the list with <see cref="IsGateway"/>.</summary>
/// <param name="Id">Topic and page id, <c>[a-z0-9-]</c>.</param>
/// <param name="Parent">Address of its next hop towards the gateway, 0 for unknown.</param>
public sealed record NodeView(
    string Id,
    ushort Address,
    string Name,
    string Model,
    bool Online,
    bool IsGateway,
    DateTimeOffset? LastSeen,
    int? Hops,
    int? RssiDbm,
    ushort Parent,
    long UptimeMs,
    IReadOnlyList<ReadingView> Readings);

/// <summary>The latest value of one kind of reading with its recent history, oldest first.</summary>
/// <param name="Name">BTHome name, for example <c>temperature</c>.</param>
public sealed record ReadingView(string Name, string Label, double Value, string Unit, DateTimeOffset At, IReadOnlyList<double> History);

/// <summary>A directed radio link as its sender sees it.</summary>
/// <param name="Etx">Expected transmissions per delivered frame, 1.0 the best.</param>
/// <param name="IsRoute">True where the sender uses it towards a gateway.</param>
public sealed record LinkView(ushort From, ushort To, double Etx, int? RssiDbm, bool IsRoute);

/// <param name="Level">info, warning or error.</param>
/// <param name="Source">Node id, gateway id, or a part such as mqtt.</param>
public sealed record EventView(DateTimeOffset At, string Level, string Source, string Text);

/// <summary>State of the way to the broker.</summary>
public sealed record OutboxView(bool BrokerConnected, string Broker, long Depth, double OldestSeconds, long Published);

/// <summary>The live picture. Reading <see cref="Current"/> never waits; <see cref="Changed"/> fires at most a few times a second.</summary>
public interface ILiveView
{
    MeshView Current { get; }

    event Action? Changed;
}
