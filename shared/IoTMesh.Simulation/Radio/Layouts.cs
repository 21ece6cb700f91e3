namespace IoTMesh.Simulation;

/// <summary>Places nodes and decides who hears whom.</summary>
internal static class Layouts
{
    private const double UnitMeters = 25;
    private const double NearRange = 1.2;
    private const double DiagonalRange = 1.5;
    private const double MeanDegree = 16;
    private const int TriesMax = 200;

    internal static Topology Create(TopologyKind kind, int nodes, double loss, int columns, IReadOnlyList<int> gateways, ulong seed)
    {
        int width = columns > 0 ? columns : DefaultColumns(nodes);
        RadioPosition[] positions = kind switch
        {
            TopologyKind.Line => Place(nodes, i => new RadioPosition(i, 0)),
            TopologyKind.Ring => Place(nodes, i => OnCircle(i, nodes, nodes < 3 ? 0.5 : 0.5 / Math.Sin(Math.PI / nodes))),
            TopologyKind.Star => Place(nodes, i => i == 0 ? default : OnCircle(i - 1, nodes - 1, 1)),
            TopologyKind.Grid4 or TopologyKind.Grid8 => Place(nodes, i => new RadioPosition(i % width, i / width)),
            TopologyKind.Tree3 => PlaceTree(nodes),
            _ => [],
        };
        return kind switch
        {
            TopologyKind.Random => CreateRandom(nodes, loss, gateways, seed),
            TopologyKind.Grid4 => FromDistance(kind, positions, NearRange, loss, gateways),
            TopologyKind.Grid8 => FromDistance(kind, positions, DiagonalRange, loss, gateways),
            TopologyKind.Line => FromPairs(kind, positions, loss, gateways, Enumerable.Range(2, nodes - 1).Select(i => (i - 1, i))),
            TopologyKind.Ring => FromPairs(kind, positions, loss, gateways, RingPairs(nodes)),
            TopologyKind.Star => FromPairs(kind, positions, loss, gateways, Enumerable.Range(2, nodes - 1).Select(i => (1, i))),
            _ => FromPairs(kind, positions, loss, gateways, Enumerable.Range(2, nodes - 1).Select(i => (((i - 2) / 3) + 1, i))),
        };
    }

    /// <summary>
    /// Signal strength over a distance in units: log-distance path loss, exponent 2.7, -40 dBm at 1 m, and up to 3 dB of shadowing fixed
    /// for the pair.
    /// </summary>
    internal static sbyte RssiDbm(double distance, int a, int b)
    {
        uint pair = (uint)(Math.Min(a, b) * 65_537) ^ (uint)(Math.Max(a, b) * 2_654_435_761L);
        double shadowing = (((pair ^ (pair >> 15)) % 601) / 100.0) - 3;
        double level = -40 - (27 * Math.Log10(Math.Max(1, distance * UnitMeters))) + shadowing;
        return (sbyte)Math.Clamp(Math.Round(level), -95, -20);
    }

    /// <summary>The divisor of nodes nearest to a square where that is at most twice as wide as high, else the square root, rounded up.</summary>
    internal static int DefaultColumns(int nodes)
    {
        int width = (int)Math.Ceiling(Math.Sqrt(nodes));
        for (int candidate = width; candidate * candidate <= 2 * nodes; candidate++)
        {
            if (nodes % candidate == 0)
            {
                return candidate;
            }
        }

        return width;
    }

    private static RadioPosition[] Place(int nodes, Func<int, RadioPosition> place) => [.. Enumerable.Range(0, nodes).Select(place)];

    private static RadioPosition OnCircle(int index, int count, double radius)
    {
        double angle = 2 * Math.PI * index / Math.Max(1, count);
        return new RadioPosition(Math.Round(radius * Math.Cos(angle), 6), Math.Round(radius * Math.Sin(angle), 6));
    }

    private static IEnumerable<(int A, int B)> RingPairs(int nodes)
    {
        return Enumerable.Range(2, nodes - 1).Select(i => (i - 1, i)).Concat(nodes > 2 ? [(1, nodes)] : []);
    }

    private static RadioPosition[] PlaceTree(int nodes)
    {
        RadioPosition[] positions = new RadioPosition[nodes];
        int first = 0;
        int width = 1;
        for (int depth = 0; first < nodes; depth++)
        {
            int count = Math.Min(width, nodes - first);
            for (int i = 0; i < count; i++)
            {
                double share = (i + 0.5) / width;
                positions[first + i] = new RadioPosition((share - 0.5) * Math.Max(1, width * 0.5), depth);
            }

            first += count;
            width *= 3;
        }

        return positions;
    }

    private static Topology FromPairs(
        TopologyKind kind, RadioPosition[] positions, double loss, IReadOnlyList<int> gateways, IEnumerable<(int A, int B)> pairs)
    {
        List<RadioLink>[] links = [.. positions.Select(_ => new List<RadioLink>())];
        foreach ((int a, int b) in pairs)
        {
            // Logical neighbors are one unit apart, wherever the map draws them.
            sbyte rssiDbm = RssiDbm(1, a, b);
            links[a - 1].Add(new RadioLink(b, 1 - loss, rssiDbm));
            links[b - 1].Add(new RadioLink(a, 1 - loss, rssiDbm));
        }

        return new Topology(kind, [.. links.Select(Sorted)], positions, NearRange, loss, gateways);
    }

    private static Topology FromDistance(TopologyKind kind, RadioPosition[] positions, double range, double loss, IReadOnlyList<int> gateways)
    {
        RadioLink[][] links = new RadioLink[positions.Length][];
        for (int i = 0; i < positions.Length; i++)
        {
            links[i] = [.. LinksInRange(positions, i + 1, range, loss)];
        }

        return new Topology(kind, links, positions, range, loss, gateways);
    }

    /// <summary>Links of a node to all within range.</summary>
    internal static IEnumerable<RadioLink> LinksInRange(RadioPosition[] positions, int node, double range, double loss)
    {
        for (int other = 1; other <= positions.Length; other++)
        {
            double distance = Distance(positions[node - 1], positions[other - 1]);
            if (other != node && distance <= range)
            {
                yield return new RadioLink(other, 1 - loss, RssiDbm(distance, node, other));
            }
        }
    }

    internal static double Distance(RadioPosition a, RadioPosition b)
    {
        double x = a.X - b.X;
        double y = a.Y - b.Y;
        return Math.Sqrt((x * x) + (y * y));
    }

    private static Topology CreateRandom(int nodes, double loss, IReadOnlyList<int> gateways, ulong seed)
    {
        SeededRandom random = new(seed, 0x70706F);
        RadioPosition[] square = [];
        double reach = 0;
        for (int attempt = 0; attempt < TriesMax; attempt++)
        {
            square = Place(nodes, _ => new RadioPosition(random.NextDouble(), random.NextDouble()));
            reach = ReachOfMeanDegree(square);
            if (IsConnected(square, reach))
            {
                break;
            }
        }

        while (!IsConnected(square, reach))
        {
            reach *= 1.05;
        }

        double scale = NearRange / reach;
        RadioPosition[] positions = [.. square.Select(p => new RadioPosition(p.X * scale, p.Y * scale))];
        return FromDistance(TopologyKind.Random, positions, NearRange * (1 + 1e-9), loss, gateways);
    }

    private static double ReachOfMeanDegree(RadioPosition[] positions)
    {
        int count = positions.Length;
        double[] distances = new double[count * (count - 1) / 2];
        int at = 0;
        for (int i = 0; i < count; i++)
        {
            for (int j = i + 1; j < count; j++)
            {
                distances[at++] = Distance(positions[i], positions[j]);
            }
        }

        Array.Sort(distances);
        int links = (int)Math.Min(distances.Length, count * MeanDegree / 2);
        return links == 0 ? 1 : distances[links - 1];
    }

    private static bool IsConnected(RadioPosition[] positions, double reach)
    {
        bool[] seen = new bool[positions.Length];
        Stack<int> open = new([0]);
        seen[0] = true;
        int count = 0;
        while (open.TryPop(out int i))
        {
            count++;
            for (int j = 0; j < positions.Length; j++)
            {
                if (!seen[j] && Distance(positions[i], positions[j]) <= reach)
                {
                    seen[j] = true;
                    open.Push(j);
                }
            }
        }

        return count == positions.Length;
    }

    private static RadioLink[] Sorted(List<RadioLink> links) => [.. links.OrderBy(link => link.To)];
}
