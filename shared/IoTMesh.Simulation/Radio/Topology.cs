using IoTMesh.Core;

namespace IoTMesh.Simulation;

/// <summary>The shape of a network.</summary>
public enum TopologyKind
{
    Line,
    Ring,
    Star,
    Grid4,
    Grid8,
    Tree3,
    Random,
    Trace,
}

/// <summary>A directed radio link.</summary>
/// <param name="To">Receiver's id.</param>
/// <param name="DeliveryRatio">Chance that a frame arrives, 0 to 1.</param>
/// <param name="RssiDbm">Signal strength at the receiver, dBm.</param>
public readonly record struct RadioLink(int To, double DeliveryRatio, sbyte RssiDbm);

/// <summary>A place on the map. One unit is the distance of neighbors in a line or grid.</summary>
public readonly record struct RadioPosition(double X, double Y);

/// <summary>
/// Who is in range of whom, how well, and where nodes stand. Ids run from 1 to <see cref="NodeCount"/> and are the mesh
/// addresses. Immutable; what changes while a mesh runs is in <see cref="Medium"/>.
/// </summary>
public sealed class Topology
{
    private readonly RadioLink[][] _links;
    private readonly RadioPosition[] _positions;

    internal Topology(TopologyKind kind, RadioLink[][] links, RadioPosition[] positions, double range, double loss, IReadOnlyList<int> gateways)
    {
        Kind = kind;
        _links = links;
        _positions = positions;
        Range = range;
        Loss = loss;
        Gateways = gateways;
    }

    public TopologyKind Kind { get; }

    /// <summary>Number of nodes, gateways included.</summary>
    public int NodeCount => _links.Length;

    /// <summary>Ids of the gateways.</summary>
    public IReadOnlyList<int> Gateways { get; }

    /// <summary>How far a node that moves is heard, in units of <see cref="RadioPosition"/>.</summary>
    public double Range { get; }

    /// <summary>Loss of each link, 0 to 1 (on top of the measured one for a trace).</summary>
    public double Loss { get; }

    /// <summary>False for measured links, which come without positions unless the file has them.</summary>
    public bool HasPositions => _positions.Length != 0;

    /// <summary>Links out of a node, by rising id of the receiver.</summary>
    public ReadOnlySpan<RadioLink> LinksFrom(int node) => _links[Index(node)];

    /// <summary>Where a node stands at first; fails where <see cref="HasPositions"/> is false.</summary>
    public RadioPosition PositionOf(int node) => _positions[Index(node)];

    public bool IsGateway(int node) => Gateways.Contains(node);

    /// <summary>The link from one node to another; false where there is none.</summary>
    public bool TryGetLink(int from, int to, out RadioLink link)
    {
        foreach (RadioLink candidate in LinksFrom(from))
        {
            if (candidate.To == to)
            {
                link = candidate;
                return true;
            }
        }

        link = default;
        return false;
    }

    /// <summary>What gives the links of the physical model from places; null where links are given.</summary>
    internal Propagation? Propagation { get; init; }

    /// <summary>Number of directed links.</summary>
    public int LinkCount => _links.Sum(links => links.Length);

    /// <summary>Most nodes a topology may have: addresses from 0xFFF0 are reserved, and tables stay sane.</summary>
    public const int MaxNodes = 4096;

    /// <summary>Lays out a synthetic topology.</summary>
    /// <param name="kind">Any but <see cref="TopologyKind.Trace"/>, which <see cref="TopologyFile"/> reads.</param>
    /// <param name="nodes">1 to <see cref="MaxNodes"/>, gateways included.</param>
    /// <param name="loss">Chance to lose a frame on each link, 0 to 1.</param>
    /// <param name="columns">Of a grid; 0 for nearest to square.</param>
    /// <param name="gateways">Ids; null for node 1.</param>
    /// <param name="seed">Of a random layout.</param>
    /// <exception cref="InputException">A value is out of range.</exception>
    public static Topology Create(
        TopologyKind kind, int nodes, double loss = 0, int columns = 0, IReadOnlyList<int>? gateways = null, ulong seed = 1)
    {
        Require(nodes is >= 1 and <= MaxNodes, $"nodes: {nodes} is not between 1 and {MaxNodes}");
        Require(loss is >= 0 and <= 1, $"loss: {loss} is not between 0 and 1");
        Require(columns >= 0, $"columns: {columns} is negative");
        Require(kind != TopologyKind.Trace, "kind: a trace comes from a file");
        IReadOnlyList<int> sinks = CheckGateways(gateways, nodes);
        return Layouts.Create(kind, nodes, loss, columns, sinks, seed);
    }

    /// <summary>Parses <c>line</c>, <c>grid4</c> ...; false for an unknown word.</summary>
    public static bool TryParseKind(string word, out TopologyKind kind)
    {
        foreach (TopologyKind candidate in Enum.GetValues<TopologyKind>())
        {
            if (WordOf(candidate) == word)
            {
                kind = candidate;
                return true;
            }
        }

        kind = default;
        return false;
    }

    /// <summary>The words <see cref="TryParseKind"/> takes, for messages.</summary>
    public static string KindWords { get; } = string.Join(", ", Enum.GetValues<TopologyKind>().Select(WordOf));

    internal static string WordOf(TopologyKind kind) => kind.ToString().ToLowerInvariant();

    internal static IReadOnlyList<int> CheckGateways(IReadOnlyList<int>? gateways, int nodes)
    {
        if (gateways is null)
        {
            return [1];
        }

        foreach (int gateway in gateways)
        {
            Require(gateway >= 1 && gateway <= nodes, $"gateways: {gateway} is not between 1 and {nodes}");
        }

        Require(gateways.Distinct().Count() == gateways.Count, "gateways: an id is there twice");
        return [.. gateways];
    }

    internal static void Require(bool condition, string message)
    {
        if (!condition)
        {
            throw new InputException("topology: " + message);
        }
    }

    private int Index(int node)
    {
        if (node < 1 || node > _links.Length)
        {
            throw new ArgumentOutOfRangeException(nameof(node), node, $"not between 1 and {_links.Length}");
        }

        return node - 1;
    }

    /// <summary>The address a node id has on air.</summary>
    public static ushort AddressOf(int node) => checked((ushort)node);

    /// <summary>True for a link destination that means everyone in range.</summary>
    internal static bool IsBroadcast(ushort linkDestination) => linkDestination == MeshAddress.All;
}
