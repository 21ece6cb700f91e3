namespace IoTMesh.Simulation;

/// <summary>What a comparison of layouts runs.</summary>
/// <param name="Nodes">Ids 1 to Nodes in each layout; 1 is the gateway.</param>
/// <param name="Loss">Chance to lose a frame, of each link of each layout.</param>
/// <param name="Seed">The first seed.</param>
/// <param name="Seeds">Runs of each layout.</param>
/// <param name="PeriodSeconds">Between two messages of a node to the gateway, and between two to another node.</param>
public sealed record CompareOptions(int Nodes = 25, double Loss = 0.1, ulong Seed = 1, int Seeds = 5, double PeriodSeconds = 5)
{
    /// <summary>The hub of a star must have room for all as neighbors.</summary>
    public const int NodesMax = 64;

    /// <exception cref="InputException">A value is out of range.</exception>
    public void Check()
    {
        Require(Nodes is >= 5 and <= NodesMax, $"nodes: {Nodes} is not between 5 and {NodesMax}");
        Require(Loss is >= 0 and <= 0.6, $"loss: {Loss} is not between 0 and 0.6");
        Require(Seeds is >= 1 and <= 1_000, $"seeds: {Seeds} is not between 1 and 1000");
        Require(PeriodSeconds is >= 0.5 and <= 30, $"period: {PeriodSeconds} s is not between 0.5 and 30");
    }

    private static void Require(bool condition, string message)
    {
        if (!condition)
        {
            throw new InputException("compare: " + message);
        }
    }
}

/// <summary>One of the layouts that are compared.</summary>
/// <param name="IsServed">Nodes talk to each other only through the gateway's application.</param>
public sealed record CompareLayout(string Name, TopologyKind Kind, bool IsServed)
{
    public static IReadOnlyList<CompareLayout> All { get; } =
    [
        new("grid", TopologyKind.Grid4, false),
        new("random", TopologyKind.Random, false),
        new("ring", TopologyKind.Ring, false),
        new("star", TopologyKind.Star, false),
        new("client-server", TopologyKind.Star, true),
    ];
}
