using Xunit.Abstractions;

namespace IoTMesh.Core.Tests.Routing.Model;

/// <summary>
/// No forwarding loop, ever (protocol.md 5.2, 5.5), checked exhaustively within bounds: the real route tables on every connected
/// graph of 3 and of 4 nodes, one of them the destination. The number of states is printed.
/// </summary>
public class ModelCheckTests(ITestOutputHelper log)
{
    private const long StatesMax = 100_000;
    private const long DeepStatesMax = 6_000_000;

    // Bits of a graph's number: one for each pair of nodes, in this order.
    private static readonly (int A, int B)[] Pairs = [(0, 1), (0, 2), (1, 2), (0, 3), (1, 3), (2, 3)];

    /// <summary>Bounds are those of <see cref="ModelBounds"/>: seqnos, reboots, losses, worsenings.</summary>
    [Theory]
    [InlineData(3, 1, 0, 1, 0, false)]
    [InlineData(3, 1, 1, 0, 0, true)]
    [InlineData(3, 1, 0, 2, 0, true)]
    [InlineData(3, 1, 0, 1, 1, true)]
    [InlineData(4, 0, 0, 1, 0, true)]
    [InlineData(4, 1, 0, 0, 1, true)]
    public void No_state_on_any_small_graph_holds_a_loop(int nodes, int seqNos, int reboots, int losses, int worsenings, bool isSettled)
    {
        Check(nodes, new ModelBounds(seqNos, reboots, losses, worsenings, isSettled), _ => true, StatesMax);
    }

    /// <summary>Reboots on graphs of 4 nodes without a second way round cost few states; the others are for the deep check.</summary>
    [Fact]
    public void No_state_after_a_reboot_on_a_tree_or_ring_of_four_holds_a_loop()
    {
        Check(4, new ModelBounds(0, 1, 0, 0, true), edges => edges.Count == 3 || IsRing(edges), StatesMax);
    }

    /// <summary>IOTMESH_MODEL_DEEP=1 dotnet test --filter Deep: minutes and gigabytes.</summary>
    [DeepTheory]
    [InlineData(3, 1, 1, 1, 0, true, false)]
    [InlineData(3, 1, 1, 0, 0, false, false)]
    [InlineData(3, 1, 1, 0, 0, true, true)]
    [InlineData(3, 2, 0, 2, 0, true, false)]
    [InlineData(4, 0, 1, 0, 0, true, false)]
    [InlineData(4, 1, 0, 1, 0, true, false)]
    public void Deep(int nodes, int seqNos, int reboots, int losses, int worsenings, bool isSettled, bool lateReplies)
    {
        Check(nodes, new ModelBounds(seqNos, reboots, losses, worsenings, isSettled, lateReplies), _ => true, DeepStatesMax);
    }

    [DeepTheory]
    [InlineData(1, 0)]
    [InlineData(1, 1)]
    public void Deep_with_news_under_way(int reboots, int losses)
    {
        Check(4, new ModelBounds(0, reboots, losses, 0, true, NewsUnderWay: true), edges => edges.Count == 3 || IsRing(edges), DeepStatesMax);
    }

    [Fact]
    public void Without_strictness_the_checker_finds_a_loop()
    {
        Hunt(3, "01 02 12", "", new ModelBounds(0, 0, 2, 0, true), Weakness.EqualIsFeasible);
    }

    [Fact]
    public void Without_seqnos_the_checker_finds_a_loop()
    {
        Hunt(3, "01 12", "", new ModelBounds(1, 0, 1, 1, true), Weakness.SeqNoIgnored);
    }

    [Fact]
    public void Where_a_restarted_node_takes_messages_of_whoever_sends_them_the_checker_finds_a_loop()
    {
        Hunt(4, "01 12 23", "13", new ModelBounds(0, 1, 0, 0, true), Weakness.NoRefusal);
    }

    /// <summary>
    /// Node 1 advertised a seqno before its restart, and what its neighbor says of it goes on only after that: news to node 1, and newer
    /// than that neighbor's first word.
    /// </summary>
    [Fact]
    public void A_guard_against_first_words_does_not_do_what_the_refusal_does()
    {
        ModelBounds bounds = new(0, 1, 0, 0, true, NewsUnderWay: true);
        Hunt(4, "01 12 23", "13", bounds, Weakness.NoRefusal | Weakness.FirstWordGuard);
        Check(3, bounds, _ => true, StatesMax);
    }

    private static bool IsRing(IReadOnlyList<(int A, int B)> edges)
    {
        return edges.Count == 4 && Enumerable.Range(0, 4).All(node => edges.Count(edge => edge.A == node || edge.B == node) == 2);
    }

    private void Check(int nodes, ModelBounds bounds, Func<IReadOnlyList<(int A, int B)>, bool> isMeant, long statesMax)
    {
        long states = 0;
        int graphs = 0;
        foreach (IReadOnlyList<(int A, int B)> edges in ConnectedGraphs(nodes).Where(isMeant))
        {
            ModelResult result = new ModelExplorer(nodes, edges, [], bounds, Weakness.None).Run(statesMax, isHunt: false);
            log.WriteLine($"{string.Join(' ', edges.Select(edge => $"{edge.A}{edge.B}"))}: {result.States} states");
            Assert.True(result.Loop is null, result.Loop);
            Assert.True(result.Routed > 0, "there never was a route: the check shows nothing");
            states += result.States;
            graphs++;
        }

        log.WriteLine($"{graphs} graphs of {nodes} nodes, {states} states without a loop; {bounds}");
    }

    private void Hunt(int nodes, string edges, string lateEdges, ModelBounds bounds, Weakness weakness)
    {
        Assert.Null(new ModelExplorer(nodes, Edges(edges), Edges(lateEdges), bounds with { Reboots = 0 }, Weakness.None)
            .Run(StatesMax, isHunt: true).Loop);
        ModelResult result = new ModelExplorer(nodes, Edges(edges), Edges(lateEdges), bounds, weakness).Run(StatesMax, isHunt: true);
        log.WriteLine($"{result.States} states; {result.Loop}");
        Assert.NotNull(result.Loop);
    }

    private static (int A, int B)[] Edges(string text)
    {
        return [.. text.Split(' ', StringSplitOptions.RemoveEmptyEntries).Select(pair => (pair[0] - '0', pair[1] - '0'))];
    }

    /// <summary>One of each kind: graphs that differ only in the names of nodes other than the destination are the same.</summary>
    private static IEnumerable<IReadOnlyList<(int A, int B)>> ConnectedGraphs(int nodes)
    {
        (int A, int B)[] pairs = [.. Pairs.Where(pair => pair.B < nodes)];
        var known = new HashSet<int>();
        for (int graph = 0; graph < 1 << pairs.Length; graph++)
        {
            (int A, int B)[] edges = [.. pairs.Where((_, i) => ((graph >> i) & 1) != 0)];
            if (IsConnected(nodes, edges) && known.Add(Renamings(nodes).Min(names => NumberOf(edges, pairs, names))))
            {
                yield return edges;
            }
        }
    }

    private static IEnumerable<int[]> Renamings(int nodes)
    {
        return nodes == 3 ? [[0, 1, 2], [0, 2, 1]]
            : [[0, 1, 2, 3], [0, 1, 3, 2], [0, 2, 1, 3], [0, 2, 3, 1], [0, 3, 1, 2], [0, 3, 2, 1]];
    }

    private static int NumberOf((int A, int B)[] edges, (int A, int B)[] pairs, int[] names)
    {
        return edges.Sum(edge => 1 << Array.IndexOf(pairs, (Math.Min(names[edge.A], names[edge.B]), Math.Max(names[edge.A], names[edge.B]))));
    }

    private static bool IsConnected(int nodes, (int A, int B)[] edges)
    {
        var reached = new HashSet<int> { 0 };
        for (int round = 0; round < nodes; round++)
        {
            foreach ((int a, int b) in edges)
            {
                if (reached.Contains(a) || reached.Contains(b))
                {
                    reached.Add(a);
                    reached.Add(b);
                }
            }
        }

        return reached.Count == nodes;
    }
}

/// <summary>Checks that take minutes, run on demand.</summary>
public sealed class DeepTheoryAttribute : TheoryAttribute
{
    public DeepTheoryAttribute()
    {
        Skip = Environment.GetEnvironmentVariable("IOTMESH_MODEL_DEEP") == "1" ? null : "set IOTMESH_MODEL_DEEP=1 to run it";
    }
}
