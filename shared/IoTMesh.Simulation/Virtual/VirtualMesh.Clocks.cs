using IoTMesh.Core;

namespace IoTMesh.Simulation;

/// <content>Clocks: each node has its own, with an offset and a rate; services of gateways know the true time.</content>
public sealed partial class VirtualMesh
{
    /// <summary>The service of each gateway tells its node the time, and all clocks are compared, this often.</summary>
    private const long TellTimeUs = 10_000_000;

    private const long PartsPerBillion = 1_000_000_000;

    // Any date; not that of the run, so that runs repeat.
    private const long FirstUtcMs = 1_780_000_000_000;
    private readonly List<double> _timeErrorsMs = [];

    /// <summary>True UTC now, ms since 1970.</summary>
    public long UtcMs => FirstUtcMs + NowMs;

    /// <summary>
    /// How far the mesh time of each node that knew it was from the truth, every 10 s, ms. Gateways are not in it; empty where clocks
    /// do not drift.
    /// </summary>
    public IReadOnlyList<double> TimeErrorsMs => _timeErrorsMs;

    private long DrawDriftPpb(int node)
    {
        SeededRandom random = new(_seed, 0x6472696674 ^ ((ulong)node << 40));
        return (long)(_options.ClockDriftPpm * 1000 * ((2 * random.NextDouble()) - 1));
    }

    private void SetLinkTimes(MeshConfig config)
    {
        config.LinkBitsPerSecond = _options.Airtime.BitsPerSecond;
        config.LinkPreambleUs = _options.Airtime.PreambleUs;
        config.LinkLatencyUs = _options.LatencyUs;
    }

    private void SetClock(VirtualNode node, long localMs)
    {
        node.ClockOffsetMs = 0;
        node.ClockOffsetMs = localMs - LocalMs(node);
    }

    /// <summary>What the node's clock shows now.</summary>
    private long LocalMs(VirtualNode node) => (RunUs(node, NowUs) / 1000) + node.ClockOffsetMs;

    private static long RunUs(VirtualNode node, long trueUs) => trueUs + (trueUs * node.DriftPpb / PartsPerBillion);

    /// <summary>When the node's clock will show that time.</summary>
    private static long TrueUs(VirtualNode node, long localMs)
    {
        long wantedUs = (localMs - node.ClockOffsetMs) * 1000;
        if (node.DriftPpb == 0)
        {
            return wantedUs;
        }

        long trueUs = wantedUs - (wantedUs * node.DriftPpb / (PartsPerBillion + node.DriftPpb)) - 2;
        while (RunUs(node, trueUs) < wantedUs)
        {
            trueUs++;
        }

        return trueUs;
    }

    private void LookAtClocks()
    {
        foreach (VirtualNode node in _nodes)
        {
            if (node is { Core: MeshNode gateway, IsServing: true })
            {
                gateway.SetTime(LocalMs(node), UtcMs);
                Touch(node);
            }
            else if (_options.ClockDriftPpm > 0 && node.Core is { TimeKnown: true } core)
            {
                _timeErrorsMs.Add(Math.Abs(core.UtcMs(LocalMs(node)) - (FirstUtcMs + (NowUs / 1000.0))));
            }
        }

        _events.Add(NowUs + TellTimeUs, EventKind.Clocks, 0);
    }
}
