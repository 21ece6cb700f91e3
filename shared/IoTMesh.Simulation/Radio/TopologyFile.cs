namespace IoTMesh.Simulation;

/// <summary>
/// Reads topologies from JSON. Two shapes: measured links (<c>nodes</c>, <c>links</c> as rows of from, to, delivery ratio, mean RSSI in
/// dBm, optional <c>positions</c> as rows of x, y; other keys are left alone), and the topology object of a scenario
/// (<c>kind</c>, <c>nodes</c>, <c>columns</c>, <c>loss</c>, <c>file</c>, <c>gateways</c>; other keys are errors).
/// </summary>
public static class TopologyFile
{
    /// <summary>Reads either shape, or the topology of a whole scenario file.</summary>
    /// <param name="seed">Of a random layout.</param>
    /// <exception cref="InputException">The file cannot be read, or says something wrong: the message names file, line and key.</exception>
    public static Topology Load(string path, ulong seed = 1)
    {
        return Parse(path, ReadBytes(path), seed, DirectoryOf(path));
    }

    /// <summary>Reads the text of such a file.</summary>
    /// <param name="file">Name for messages.</param>
    /// <param name="directory">What paths in it are relative to.</param>
    public static Topology Parse(string file, ReadOnlySpan<byte> utf8, ulong seed = 1, string directory = ".")
    {
        JsonInput root = JsonInput.Parse(file, utf8);
        if (root.IsObject && root.Optional("links") is not null)
        {
            return ReadTrace(root, 0, null);
        }

        JsonInput input = root.IsObject && root.Optional("topology") is JsonInput inside ? inside : root;
        return TopologySpec.Read(input, directory).Create(seed);
    }

    /// <summary>Reads measured links.</summary>
    /// <param name="loss">On top of the measured loss, 0 to 1.</param>
    /// <param name="gateways">Ids; null for node 1.</param>
    public static Topology LoadTrace(string path, double loss = 0, IReadOnlyList<int>? gateways = null)
    {
        return ReadTrace(JsonInput.Parse(path, ReadBytes(path)), loss, gateways);
    }

    internal static string DirectoryOf(string path) => Path.GetDirectoryName(Path.GetFullPath(path)) ?? ".";

    internal static byte[] ReadBytes(string path)
    {
        try
        {
            return File.ReadAllBytes(path);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException or ArgumentException or NotSupportedException)
        {
            throw new InputException($"{path}: cannot be read: {error.Message.Split('\n')[0]}", error);
        }
    }

    private static Topology ReadTrace(JsonInput root, double loss, IReadOnlyList<int>? gateways)
    {
        int nodes = root.Required("nodes").AsInt(1, Topology.MaxNodes);
        List<RadioLink>[] links = [.. Enumerable.Range(0, nodes).Select(_ => new List<RadioLink>())];
        HashSet<(int From, int To)> seen = [];
        foreach (JsonInput row in root.Required("links").Items())
        {
            IReadOnlyList<JsonInput> cells = row.Items(4);
            int from = cells[0].AsInt(1, nodes);
            int to = cells[1].AsInt(1, nodes);
            if (from == to || !seen.Add((from, to)))
            {
                throw row.Error(from == to ? "a node has no link to itself" : $"the link from {from} to {to} is there twice");
            }

            double ratio = cells[2].AsDouble(0, 1) * (1 - loss);
            sbyte rssiDbm = (sbyte)Math.Clamp(Math.Round(cells[3].AsDouble(-200, 50)), -128, -1);
            links[from - 1].Add(new RadioLink(to, ratio, rssiDbm));
        }

        RadioPosition[] positions = root.Optional("positions") is JsonInput rows ? ReadPositions(rows, nodes) : [];
        RadioLink[][] sorted = [.. links.Select(list => list.OrderBy(link => link.To).ToArray())];
        return new Topology(TopologyKind.Trace, sorted, positions, 1.2, loss, Topology.CheckGateways(gateways, nodes));
    }

    private static RadioPosition[] ReadPositions(JsonInput rows, int nodes)
    {
        return [.. rows.Items(nodes).Select(row => row.Items(2))
            .Select(xy => new RadioPosition(xy[0].AsDouble(-1e6, 1e6), xy[1].AsDouble(-1e6, 1e6)))];
    }
}

/// <summary>The topology object of a scenario: what to lay out, not yet laid out.</summary>
/// <param name="Columns">Of a grid; 0 for nearest to square.</param>
/// <param name="File">Of a trace, else null.</param>
/// <param name="Gateways">Ids; null for node 1.</param>
public sealed record TopologySpec(TopologyKind Kind, int Nodes, int Columns, double Loss, string? File, IReadOnlyList<int>? Gateways)
{
    private const double PollSecondsMin = 0.256;
    private const double PollSecondsMax = 16_000;

    /// <summary>Ids of sleepy leaves.</summary>
    public IReadOnlyList<int> Sleepy { get; init; } = [];

    /// <summary>Of sleepy leaves.</summary>
    public double PollIntervalSeconds { get; init; } = 10;

    /// <summary>Lays it out.</summary>
    /// <param name="seed">Of a random layout.</param>
    public Topology Create(ulong seed)
    {
        return Kind == TopologyKind.Trace
            ? TopologyFile.LoadTrace(File!, Loss, Gateways)
            : Topology.Create(Kind, Nodes, Loss, Columns, Gateways, seed);
    }

    /// <param name="directory">What <c>file</c> is relative to.</param>
    internal static TopologySpec Read(JsonInput input, string directory)
    {
        JsonInput kindInput = input.Required("kind");
        if (!Topology.TryParseKind(kindInput.AsString(), out TopologyKind kind))
        {
            throw kindInput.Error($"expected one of {Topology.KindWords}, found '{kindInput.AsString()}'");
        }

        bool isTrace = kind == TopologyKind.Trace;
        int nodes = (isTrace ? input.Optional("nodes") : input.Required("nodes"))?.AsInt(1, Topology.MaxNodes) ?? 0;
        int columns = input.Optional("columns")?.AsInt(1, Topology.MaxNodes) ?? 0;
        double loss = input.Optional("loss")?.AsDouble(0, 1) ?? 0;
        string? file = (isTrace ? input.Required("file") : input.Optional("file"))?.AsString();
        if (file is not null && !isTrace)
        {
            throw input.Required("file").Error("only a trace has a file");
        }

        IReadOnlyList<int>? gateways = input.Optional("gateways") is JsonInput list
            ? ReadIds(list, isTrace || nodes == 0 ? Topology.MaxNodes : nodes)
            : null;
        IReadOnlyList<int> sleepy = ReadSleepy(input, nodes, gateways);
        double pollSeconds = input.Optional("pollIntervalSeconds")?.AsDouble(PollSecondsMin, PollSecondsMax) ?? 10;
        input.End();
        string? path = file is null ? null : Path.Combine(directory, file);
        if (isTrace)
        {
            Topology trace = TopologyFile.LoadTrace(path!, loss);
            if (nodes != 0 && nodes != trace.NodeCount)
            {
                throw input.Required("nodes").Error($"the file has {trace.NodeCount} nodes");
            }

            nodes = trace.NodeCount;
            CheckIds(input.Optional("gateways"), nodes);
            CheckIds(input.Optional("sleepy"), nodes);
        }

        return new TopologySpec(kind, nodes, columns, loss, path, gateways) { Sleepy = sleepy, PollIntervalSeconds = pollSeconds };
    }

    private static IReadOnlyList<int> ReadSleepy(JsonInput input, int nodes, IReadOnlyList<int>? gateways)
    {
        if (input.Optional("sleepy") is not JsonInput list)
        {
            return [];
        }

        IReadOnlyList<int> sleepy = ReadIds(list, nodes == 0 ? Topology.MaxNodes : nodes);
        int gateway = sleepy.FirstOrDefault(id => gateways?.Contains(id) ?? id == 1);
        return gateway == 0 ? sleepy : throw list.Error($"node {gateway} is a gateway, which never sleeps");
    }

    /// <summary>Ids that were read before the file of the measured links told how many nodes there are.</summary>
    private static void CheckIds(JsonInput? list, int nodes)
    {
        if (list is not null)
        {
            ReadIds(list, nodes);
        }
    }

    /// <summary>An array of different node ids.</summary>
    internal static IReadOnlyList<int> ReadIds(JsonInput input, int nodes)
    {
        List<int> ids = [];
        foreach (JsonInput item in input.Items())
        {
            int id = item.AsInt(1, nodes);
            if (ids.Contains(id))
            {
                throw item.Error($"node {id} is there twice");
            }

            ids.Add(id);
        }

        return ids;
    }
}
