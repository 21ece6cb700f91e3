namespace IoTMesh.Simulation;

/// <summary>
/// Who is heard how strongly: log-distance path loss with shadowing that is fixed for a pair (symmetric and asymmetric part, both normal,
/// from the seed), and what a level means for a frame. Bit errors follow 0.5 exp(-k SNR) as those of DBPSK do, with k such that 8 % of
/// 1,024-byte frames are lost at the sensitivity; at 1 Mbit/s, -98 dBm and -95 dBm of noise that is the processing gain of 22 that DSSS has.
/// </summary>
internal sealed class Propagation
{
    /// <summary>A frame of this many bytes tells how good a link is.</summary>
    internal const int ProbeBytes = 60;

    private const double FirstMetreDb = 40;
    private const double SensitivityBits = 1024 * 8;
    private const double SensitivityLoss = 0.08;
    private const double RatioMin = 0.01;
    private const double InterferenceFloorDb = 10;
    private readonly RadioSpec _spec;
    private readonly ulong _seed;

    internal Propagation(RadioSpec spec, ulong seed)
    {
        _spec = spec;
        _seed = seed;
        NoiseMw = Milliwatts(spec.NoiseDbm);
    }

    internal double NoiseMw { get; }

    /// <summary>Level below which a signal does not even disturb.</summary>
    internal double FloorMw => Milliwatts(_spec.NoiseDbm - InterferenceFloorDb);

    /// <summary>The topology with the links that its places give.</summary>
    internal Topology Apply(Topology topology)
    {
        if (!topology.HasPositions)
        {
            // Measured links keep their ratios; their strengths decide who disturbs whom.
            return topology;
        }

        int nodes = topology.NodeCount;
        RadioPosition[] positions = [.. Enumerable.Range(1, nodes).Select(topology.PositionOf)];
        RadioLink[][] links = [.. Enumerable.Range(1, nodes).Select(node => LinksFrom(positions, node, topology.Loss))];
        return new Topology(topology.Kind, links, positions, topology.Range, topology.Loss, topology.Gateways) { Propagation = this };
    }

    /// <summary>Links out of a node that carry at least one frame in a hundred.</summary>
    internal RadioLink[] LinksFrom(RadioPosition[] positions, int node, double loss)
    {
        List<RadioLink> links = [];
        for (int other = 1; other <= positions.Length; other++)
        {
            if (other != node && TryLink(positions, node, other, loss, out RadioLink link))
            {
                links.Add(link);
            }
        }

        return [.. links];
    }

    internal bool TryLink(RadioPosition[] positions, int from, int to, double loss, out RadioLink link)
    {
        double dbm = ReceivedDbm(from, to, positions[from - 1], positions[to - 1]);
        double rate = _spec.Phy.RateMbps;
        double ratio = (1 - loss) * Survival(Milliwatts(dbm) / NoiseMw, _spec.Phy.FrameUs(ProbeBytes, isBroadcast: false), rate);
        link = new RadioLink(to, ratio, Rssi(dbm));
        return ratio >= RatioMin;
    }

    internal double ReceivedDbm(int from, int to, RadioPosition a, RadioPosition b)
    {
        double metres = Math.Max(1, Layouts.Distance(a, b) * _spec.UnitMeters);
        double pair = Normal((ulong)Math.Min(from, to), (ulong)Math.Max(from, to), 1) * _spec.ShadowingDb;
        double direction = Normal((ulong)from, (ulong)to, 2) * _spec.AsymmetryDb;
        return _spec.TxPowerDbm - FirstMetreDb - (10 * _spec.PathLossExponent * Math.Log10(metres)) + pair + direction;
    }

    /// <summary>Chance that bits of a rate survive so many microseconds at a ratio of signal to noise and interference.</summary>
    internal double Survival(double sinr, double us, double rateMbps) => Math.Exp(LogSurvival(sinr, us, rateMbps));

    internal double LogSurvival(double sinr, double us, double rateMbps)
    {
        double bitErrors = 0.5 * Math.Exp(-Robustness(rateMbps) * sinr);
        return us * rateMbps * Math.Log(1 - bitErrors);
    }

    /// <summary>Ratio of a signal to noise and to others' signals, which count by <see cref="RadioSpec.InterferenceDb"/>.</summary>
    internal double Sinr(double signalMw, double othersMw, double rateMbps)
    {
        double atSensitivity = Milliwatts(SensitivityDbm(rateMbps) - _spec.NoiseDbm);
        return signalMw / (NoiseMw + (othersMw * Milliwatts(_spec.InterferenceDb) / atSensitivity));
    }

    /// <summary>Level at which frames of that rate begin to get through, dBm.</summary>
    internal double SensitivityDbm(double rateMbps)
    {
        return rateMbps == _spec.Phy.RateMbps && _spec.SensitivityDbm is double own ? own : Phy.SensitivityDbm(rateMbps);
    }

    internal static double Milliwatts(double dbm) => Math.Pow(10, dbm / 10);

    internal static sbyte Rssi(double dbm) => (sbyte)Math.Clamp(Math.Round(dbm), -127, -1);

    private double Robustness(double rateMbps)
    {
        double bitErrors = -Math.Log(1 - SensitivityLoss) / SensitivityBits;
        return -Math.Log(2 * bitErrors) / Milliwatts(SensitivityDbm(rateMbps) - _spec.NoiseDbm);
    }

    /// <summary>A normally distributed number that belongs to two nodes (Box and Muller).</summary>
    private double Normal(ulong a, ulong b, ulong stream)
    {
        SeededRandom random = new(_seed ^ (a * 0x9E3779B97F4A7C15UL) ^ (b << 20), 0x70726F70 + stream);
        double u = 1 - random.NextDouble();
        return Math.Sqrt(-2 * Math.Log(u)) * Math.Cos(2 * Math.PI * random.NextDouble());
    }
}
