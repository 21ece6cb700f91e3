namespace IoTMesh.Simulation;

/// <summary>
/// The radio object of a scenario. Without it: the simple model, in which each link loses frames independently, no two frames disturb
/// each other, and a frame takes the airtime of ESP-NOW.
/// </summary>
public sealed record RadioSpec
{
    private const double SecondsMax = 3_600;
    private static readonly string[] _models = ["simple", "physical"];

    /// <summary>What a scenario without a radio object has.</summary>
    public static RadioSpec Simple { get; } = new();

    /// <summary>Collisions, carrier sense, path loss and half-duplex instead of independent losses.</summary>
    public bool IsPhysical { get; init; }

    /// <summary>What carries the mesh frames.</summary>
    public Phy Phy { get; init; } = Phy.EspNow;

    /// <summary>Chance that a frame that is received is handed over twice, the second time up to 20 ms later or <see cref="DelayMs"/>.</summary>
    public double Duplicate { get; init; }

    /// <summary>Each reception is handed over up to so much later, evenly drawn, so that frames overtake each other.</summary>
    public double DelayMs { get; init; }

    /// <summary>Chance that a frame that is received has 1 to 8 wrong bits.</summary>
    public double Corrupt { get; init; }

    /// <summary>Chance that somebody records a frame that is received and plays it again <see cref="ReplaySeconds"/> later.</summary>
    public double Replay { get; init; }

    public double ReplaySeconds { get; init; } = 10;

    /// <summary>Length of the topology's unit, in which neighbors of a line or grid are 1 apart.</summary>
    public double UnitMeters { get; init; } = 25;

    /// <summary>Exponent of the log-distance path loss; 40 dB are lost in the first metre (free space at 2.4 GHz).</summary>
    public double PathLossExponent { get; init; } = 3;

    /// <summary>Standard deviation of the shadowing of a pair, the same in both directions, fixed for the run, dB.</summary>
    public double ShadowingDb { get; init; } = 4;

    /// <summary>Standard deviation of what a direction differs from that, dB.</summary>
    public double AsymmetryDb { get; init; } = 1;

    public double TxPowerDbm { get; init; } = 18;

    /// <summary>Noise in the receiver's bandwidth, its own included, dBm.</summary>
    public double NoiseDbm { get; init; } = -95;

    /// <summary>Level at which 8 % of 1,024-byte frames are lost, dBm (IEEE 802.11-2016 section 15.4.8.2); null for the rate's typical one.</summary>
    public double? SensitivityDbm { get; init; }

    /// <summary>
    /// How much stronger a frame must be than all other signals together to get through as it does at the sensitivity, dB. Other frames
    /// are worse than noise of the same power: they are spread and modulated alike.
    /// </summary>
    public double InterferenceDb { get; init; } = 6;

    /// <summary>A frame that comes this much stronger than the one being received takes its place, dB.</summary>
    public double CaptureDb { get; init; } = 10;

    /// <summary>False: nodes send without listening.</summary>
    public bool CarrierSense { get; init; } = true;

    /// <summary>Power from which a node holds the channel for taken, dBm; null for 3 dB over the sensitivity.</summary>
    public double? CarrierSenseDbm { get; init; }

    /// <summary>Whether frames that are received may come twice, late, changed or again.</summary>
    internal bool IsDisturbed => Duplicate > 0 || DelayMs > 0 || Corrupt > 0 || Replay > 0;

    internal static RadioSpec Read(JsonInput input, TopologyKind kind)
    {
        bool isPhysical = ReadModel(input.Optional("model"));
        if (isPhysical && kind is TopologyKind.Tree3)
        {
            throw input.Error("the physical model needs places, and a tree3 has none that fit its links: take a grid, a line or random");
        }

        Phy phy = Phy.Read(input.Optional("phy"), input.Optional("rateMbps"));
        RadioSpec spec = new()
        {
            IsPhysical = isPhysical,
            Phy = phy,
            Duplicate = Number(input, "duplicate", Simple.Duplicate, 0, 1),
            DelayMs = Number(input, "delayMs", Simple.DelayMs, 0, 60_000),
            Corrupt = Number(input, "corrupt", Simple.Corrupt, 0, 1),
            Replay = Number(input, "replay", Simple.Replay, 0, 1),
            ReplaySeconds = Number(input, "replaySeconds", Simple.ReplaySeconds, 0.001, SecondsMax),
        };
        if (isPhysical)
        {
            spec = spec with
            {
                UnitMeters = Number(input, "unitMeters", Simple.UnitMeters, 0.1, 100_000),
                PathLossExponent = Number(input, "pathLossExponent", Simple.PathLossExponent, 1, 8),
                ShadowingDb = Number(input, "shadowingDb", Simple.ShadowingDb, 0, 30),
                AsymmetryDb = Number(input, "asymmetryDb", Simple.AsymmetryDb, 0, 30),
                TxPowerDbm = Number(input, "txPowerDbm", Simple.TxPowerDbm, -60, 40),
                NoiseDbm = Number(input, "noiseDbm", Simple.NoiseDbm, -150, 0),
                SensitivityDbm = input.Optional("sensitivityDbm")?.AsDouble(-150, 0),
                InterferenceDb = Number(input, "interferenceDb", Simple.InterferenceDb, -30, 60),
                CaptureDb = Number(input, "captureDb", Simple.CaptureDb, 0, 60),
                CarrierSense = input.Optional("carrierSense")?.AsBool() ?? true,
                CarrierSenseDbm = input.Optional("carrierSenseDbm")?.AsDouble(-150, 0),
            };
        }

        input.End();
        return spec;
    }

    private static bool ReadModel(JsonInput? input)
    {
        int model = input is null ? 0 : Array.IndexOf(_models, input.AsString());
        return model >= 0 ? model == 1 : throw input!.Error($"expected one of {string.Join(", ", _models)}, found '{input.AsString()}'");
    }

    private static double Number(JsonInput input, string key, double otherwise, double min, double max)
    {
        return input.Optional(key)?.AsDouble(min, max) ?? otherwise;
    }
}
