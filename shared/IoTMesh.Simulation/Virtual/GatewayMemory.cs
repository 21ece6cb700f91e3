using IoTMesh.Core;

namespace IoTMesh.Simulation;

/// <summary>A reading's key for the application.</summary>
public readonly record struct ReadingKey(ushort Origin, ushort Boot, uint Seq);

/// <summary>
/// What a gateway's service has made durable: the readings its outbox committed, and per origin what a restarted node core is
/// told. Survives kill and start, as a gateway's database does. Readings are remembered as a watermark for each of the last boots
/// and what lies above it, and no more than a node can keep, so that a long run takes no more memory than a short one.
/// </summary>
internal sealed class GatewayMemory
{
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
            peer.UptimeMs = -1;
        }

        if (key.Boot == peer.Boot && uptimeMs >= 0)
        {
            (peer.UptimeMs, peer.UptimeAtMs) = (uptimeMs, nowMs);
        }

        return peer.ReadingsOf(key.Boot).Add(key.Seq);
    }

    /// <summary>Tells a node core that starts what it accepted before.</summary>
    /// <param name="localMs">The present time on the node's clock.</param>
    internal void Restore(MeshNode node, long localMs, long nowMs)
    {
        foreach ((ushort origin, Peer peer) in _peers)
        {
            node.RestorePeer(origin, peer.Boot, peer.Counter, peer.ReadingsOf(peer.Boot).Watermark);
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
        private const int BootsMax = 8;

        // All of them from the first reading on, so that memory does not grow with restarts.
        private readonly BootReadings[] _boots = [.. Enumerable.Range(0, BootsMax).Select(_ => new BootReadings())];

        internal ushort Boot { get; set; }

        internal uint Counter { get; set; }

        internal long UptimeMs { get; set; } = -1;

        internal long UptimeAtMs { get; set; }

        internal BootReadings ReadingsOf(ushort boot)
        {
            BootReadings oldest = _boots[0];
            foreach (BootReadings readings in _boots)
            {
                if (readings.Boot == boot)
                {
                    return readings;
                }

                oldest = readings.Boot < oldest.Boot ? readings : oldest;
            }

            oldest.Begin(boot);
            return oldest;
        }
    }

    /// <summary>A watermark and a ring of bits above it.</summary>
    private sealed class BootReadings
    {
        // More than a node keeps: what lies further back went to another gateway or was given up.
        private const int Window = 1024;
        private readonly ulong[] _bits = new ulong[Window / 64];

        /// <summary>0 while it stands for none: boots count from 1.</summary>
        internal ushort Boot { get; private set; }

        internal uint Watermark { get; private set; }

        internal void Begin(ushort boot)
        {
            Boot = boot;
            Watermark = 0;
            Array.Clear(_bits);
        }

        internal bool Contains(uint seq) => seq <= Watermark || (seq - Watermark <= Window && IsSet(seq));

        internal bool Add(uint seq)
        {
            if (Contains(seq))
            {
                return false;
            }

            while (seq - Watermark > Window)
            {
                Advance();
            }

            _bits[seq % Window / 64] |= 1UL << (int)(seq % 64);
            while (IsSet(Watermark + 1))
            {
                Advance();
            }

            return true;
        }

        private bool IsSet(uint seq) => ((_bits[seq % Window / 64] >> (int)(seq % 64)) & 1) != 0;

        private void Advance()
        {
            Watermark++;
            _bits[Watermark % Window / 64] &= ~(1UL << (int)(Watermark % 64));
        }
    }
}
