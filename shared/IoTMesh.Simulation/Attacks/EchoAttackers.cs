using IoTMesh.Core;

namespace IoTMesh.Simulation;

/// <summary>Sends again, bit by bit, what it has heard: half a second later, and half a minute later.</summary>
internal sealed class ReplayAttacker(AttackerEntry entry, AttackerPort port) : Attacker(entry, port)
{
    private const int KeptMax = 20_000;
    private const long SoonUs = 500_000;
    private const long LateUs = 30_000_000;
    private readonly List<(long AtUs, byte[] Frame)> _kept = [];
    private int _soon;
    private int _late;
    private bool _isLatesTurn;

    protected override void OnBegin() => Port.CallIn(1);

    internal override bool Hears(ReadOnlySpan<byte> frame, bool isForOthers)
    {
        if (_kept.Count < KeptMax)
        {
            _kept.Add((Port.NowUs, frame.ToArray()));
        }

        return !isForOthers;
    }

    internal override void Called()
    {
        _isLatesTurn = !_isLatesTurn;
        ref int next = ref _isLatesTurn ? ref _late : ref _soon;
        if (next < _kept.Count && Port.NowUs - _kept[next].AtUs >= (_isLatesTurn ? LateUs : SoonUs))
        {
            Port.Send(_kept[next++].Frame);
        }

        Port.CallIn((long)(1e6 / Entry.PerSecond));
    }
}

/// <summary>
/// One end of a wormhole: what it hears comes out at the other end a millisecond later, but for the share of data frames that it keeps.
/// So nodes far apart pass each other's challenges and take each other for neighbors.
/// </summary>
internal sealed class WormholeEnd(AttackerEntry entry, AttackerPort port) : Attacker(entry, port)
{
    private const int RecentMax = 64;
    private readonly Queue<ulong> _recent = new();
    private WormholeEnd? _other;

    /// <summary>Ties the two ends together.</summary>
    internal void Connect(WormholeEnd other)
    {
        _other = other;
        other._other = this;
    }

    internal override bool Hears(ReadOnlySpan<byte> frame, bool isForOthers)
    {
        ulong hash = HashOf(frame);
        bool isEcho = _recent.Contains(hash) || _other?._recent.Contains(hash) != false;
        if (isEcho || _other is not { IsActive: true })
        {
            return false;
        }

        if (FrameFormat.GetType(frame[0]) == FrameFormat.TypeData && Port.Random.NextDouble() < Entry.Share)
        {
            Swallowed++;
            return false;
        }

        _recent.Enqueue(hash);
        if (_recent.Count > RecentMax)
        {
            _recent.Dequeue();
        }

        Port.SendAt(_other.Entry.Node, frame);
        return false;
    }

    private static ulong HashOf(ReadOnlySpan<byte> frame)
    {
        TraceHash hash = default;
        hash.Add(frame);
        return hash.Value;
    }
}
