using IoTMesh.Core;

namespace IoTMesh.Simulation;

/// <summary>A reading's key for the application.</summary>
public readonly record struct ReadingKey(ushort Origin, ushort Boot, uint Seq);

/// <summary>
/// What a gateway's service has made durable: the readings its outbox committed, and per origin what a restarted node core is
/// told. Survives kill and start, as a gateway's database does.
/// </summary>
internal sealed class GatewayMemory
{
    private readonly HashSet<ReadingKey> _committed = [];
    private readonly SortedDictionary<ushort, Peer> _peers = [];

    /// <summary>Records a message that was accepted but is no reading.</summary>
    internal void Accept(ushort origin, uint counter)
    {
        Peer peer = Find(origin);
        peer.Counter = Math.Max(peer.Counter, counter);
    }

    /// <summary>Commits a reading; false when it was there already.</summary>
    /// <param name="uptimeMs">The origin's uptime when this copy left it; -1 for a reading of an earlier boot.</param>
    internal bool Commit(ReadingKey key, uint counter, long uptimeMs, long nowMs)
    {
        Peer peer = Find(key.Origin);
        peer.Counter = Math.Max(peer.Counter, counter);
        if (key.Boot > peer.Boot)
        {
            peer.Boot = key.Boot;
            peer.Watermark = 0;
            peer.UptimeMs = -1;
        }

        if (key.Boot == peer.Boot && uptimeMs >= 0)
        {
            (peer.UptimeMs, peer.UptimeAtMs) = (uptimeMs, nowMs);
        }

        bool isNew = _committed.Add(key);
        while (_committed.Contains(new ReadingKey(key.Origin, peer.Boot, peer.Watermark + 1)))
        {
            peer.Watermark++;
        }

        return isNew;
    }

    internal bool IsCommitted(ReadingKey key) => _committed.Contains(key);

    /// <summary>Tells a node core that starts what it accepted before.</summary>
    /// <param name="localMs">The present time on the node's clock.</param>
    internal void Restore(MeshNode node, long localMs, long nowMs)
    {
        foreach ((ushort origin, Peer peer) in _peers)
        {
            node.RestorePeer(origin, peer.Boot, peer.Counter, peer.Watermark);
            node.RestoreUptime(origin, peer.UptimeMs < 0 ? -1 : peer.UptimeMs + nowMs - peer.UptimeAtMs, localMs);
        }
    }

    private Peer Find(ushort origin)
    {
        if (!_peers.TryGetValue(origin, out Peer? peer))
        {
            peer = new Peer();
            _peers.Add(origin, peer);
        }

        return peer;
    }

    private sealed class Peer
    {
        internal ushort Boot { get; set; }

        internal uint Counter { get; set; }

        internal uint Watermark { get; set; }

        internal long UptimeMs { get; set; } = -1;

        internal long UptimeAtMs { get; set; }
    }
}
