using IoTMesh.Core;

namespace IoTMesh.Gateway.Storage;

/// <summary>Which readings of a device's newest boot are committed: a cumulative watermark and a bounded set above it.</summary>
internal sealed class PeerTracker
{
    private readonly SortedSet<uint> _beyond = [];

    internal PeerTracker(ushort boot, uint counter, uint watermark, IEnumerable<uint> beyond)
    {
        Boot = boot;
        Counter = counter;
        Watermark = watermark;
        _beyond.UnionWith(beyond);
    }

    internal ushort Boot { get; private set; }

    internal uint Counter { get; private set; }

    internal uint Watermark { get; private set; }

    internal void Commit(ushort boot, uint seq, uint counter)
    {
        if (boot < Boot)
        {
            return;
        }

        if (boot > Boot)
        {
            Boot = boot;
            Counter = 0;
            Watermark = 0;
            _beyond.Clear();
        }

        Counter = Math.Max(Counter, counter);
        if (seq > Watermark)
        {
            _beyond.Add(seq);
        }

        // The mesh core takes nothing above its own watermark plus its window, so a gap further back is one that the node gave up.
        if (seq > Watermark + ReplayWindow.Length)
        {
            Watermark = seq - ReplayWindow.Length;
            _beyond.RemoveWhere(s => s <= Watermark);
        }

        while (_beyond.Count > 0 && _beyond.Min == Watermark + 1)
        {
            Watermark++;
            _beyond.Remove(Watermark);
        }
    }
}
