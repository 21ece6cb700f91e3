using System.Reflection;
using IoTMesh.Core;

namespace IoTMesh.Simulation;

/// <summary>Where the messages of a traffic entry go.</summary>
public enum TrafficTarget
{
    /// <summary>Whichever gateway is nearest.</summary>
    Gateway,

    /// <summary>Another node, drawn for each message.</summary>
    Any,

    /// <summary>The listed nodes.</summary>
    Nodes,

    /// <summary>Every other node: one broadcast. What is sent counts once for each node that runs and can be reached.</summary>
    All,
}

/// <summary>Periodic messages of some nodes.</summary>
/// <param name="From">Sources; null for every node that is no gateway and has a path.</param>
/// <param name="To">Destinations for <see cref="TrafficTarget.Nodes"/>: one for all, or paired with From by index.</param>
/// <param name="Custody">Readings that are kept until a gateway has committed them.</param>
public sealed record TrafficEntry(
    IReadOnlyList<int>? From,
    TrafficTarget Target,
    IReadOnlyList<int> To,
    double PeriodSeconds,
    int PayloadBytes,
    double StartSeconds,
    bool Confirmed,
    bool Custody,
    MeshClass Class)
{
    /// <summary>Messages to nodes go to the gateway, whose application sends them on: client and server.</summary>
    public bool ViaServer { get; init; }

    /// <summary>Questions to nodes instead of messages: one that is answered counts as delivered, its latency is the round trip.</summary>
    public Question Ask { get; init; }
}

/// <summary>What a node asks another. protocol.md 7.4.</summary>
public enum Question
{
    None,

    /// <summary>A sign of life.</summary>
    Ping,

    /// <summary>Each hop on the way; answered when the last hop has answered.</summary>
    Trace,
}

/// <summary>What a fault does.</summary>
public enum FaultKind
{
    Kill,
    Start,
    Cut,
    Restore,
    Partition,
    Merge,
    Move,
    GatewayDown,
    GatewayUp,

    /// <summary>A gateway begins to change the network key.</summary>
    Rotate,

    /// <summary>A device loses its membership.</summary>
    Revoke,
}

/// <summary>A change of the world at a time.</summary>
/// <param name="A">The node, or one end of the link.</param>
/// <param name="B">The other end of a link.</param>
/// <param name="Position">Of a move.</param>
/// <param name="Groups">Of a partition.</param>
public sealed record FaultEntry(
    double AtSeconds, FaultKind Kind, int A, int B, RadioPosition Position, IReadOnlyList<IReadOnlyList<int>> Groups);

/// <summary>A simulation to run: a topology, traffic and faults. Node ids run from 1, gateways included.</summary>
public sealed record Scenario(
    string Name,
    ulong Seed,
    double DurationSeconds,
    TopologySpec Topology,
    IReadOnlyList<TrafficEntry> Traffic,
    IReadOnlyList<FaultEntry> Faults)
{
    /// <summary>Each node's clock is off by up to this much, fast or slow, parts per million.</summary>
    public double ClockDriftPpm { get; init; }

    /// <summary>These nodes begin without the network key, as enrolment leaves them, and join; null: all, empty: none.</summary>
    public IReadOnlyList<int>? Join { get; init; } = [];

    /// <summary>Who attacks the mesh. Their own traffic, and that of nodes without a way that avoids them, does not count.</summary>
    public IReadOnlyList<AttackerEntry> Attackers { get; init; } = [];

    /// <summary>The attackers keep still: stolen nodes behave well, and radios in nodes' places are off.</summary>
    internal bool IsPeaceful { get; init; }

    /// <summary>Real-time messages go twice, over different neighbors where there are some.</summary>
    public bool RealTimeTwice { get; init; }

    /// <summary>Traffic stops this long before the end, so that what is under way can arrive.</summary>
    public const double TailSeconds = 10;

    /// <summary>When traffic starts where a scenario does not say: the mesh has formed by then.</summary>
    public const double DefaultStartSeconds = 10;

    /// <summary>The radio model.</summary>
    public RadioSpec Radio { get; init; } = RadioSpec.Simple;

    private const string ResourceSuffix = ".json";

    /// <summary>Names of the scenarios that come with the product.</summary>
    public static IReadOnlyList<string> BuiltIn { get; } =
    [
        .. typeof(Scenario).Assembly.GetManifestResourceNames()
            .Where(name => name.EndsWith(ResourceSuffix, StringComparison.Ordinal))
            .Select(name => name[..^ResourceSuffix.Length])
            .Order(StringComparer.Ordinal),
    ];

    /// <summary>A built-in scenario by name, else a file by path.</summary>
    /// <exception cref="InputException">Neither exists, or the file says something wrong: the message names file, line and key.</exception>
    public static Scenario Load(string nameOrPath)
    {
        if (BuiltIn.Contains(nameOrPath))
        {
            using Stream stream = Assembly.GetExecutingAssembly().GetManifestResourceStream(nameOrPath + ResourceSuffix)!;
            byte[] utf8 = new byte[stream.Length];
            stream.ReadExactly(utf8);
            return ScenarioReader.Read(nameOrPath + ResourceSuffix, utf8, ".");
        }

        if (!File.Exists(nameOrPath) && !nameOrPath.Contains('.', StringComparison.Ordinal) && !nameOrPath.Contains('/', StringComparison.Ordinal))
        {
            throw new InputException($"{nameOrPath}: no such file and no built-in scenario; built in: {string.Join(", ", BuiltIn)}");
        }

        return ScenarioReader.Read(nameOrPath, TopologyFile.ReadBytes(nameOrPath), TopologyFile.DirectoryOf(nameOrPath));
    }

    /// <summary>The file that reads back as this.</summary>
    public string ToJson() => ScenarioWriter.Write(this);

    /// <summary>Parses a scenario's JSON.</summary>
    /// <param name="file">Name for messages.</param>
    /// <param name="directory">What paths in it are relative to.</param>
    public static Scenario Parse(string file, ReadOnlySpan<byte> utf8, string directory = ".") => ScenarioReader.Read(file, utf8, directory);
}
