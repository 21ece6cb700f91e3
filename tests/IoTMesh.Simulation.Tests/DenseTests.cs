using System.Globalization;
using IoTMesh.Core;

namespace IoTMesh.Simulation.Tests;

/// <summary>More neighbors in range than a node has room for: all are served, and tables keep still.</summary>
public class DenseTests
{
    private const int Nodes = 45;

    [Fact]
    public void Forty_five_nodes_that_all_hear_each_other_are_one_calm_network()
    {
        DirectoryInfo directory = Directory.CreateTempSubdirectory("iotmesh-");
        try
        {
            string path = Path.Combine(directory.FullName, "dense.json");
            IEnumerable<string> rows = from a in Enumerable.Range(1, Nodes)
                                       from b in Enumerable.Range(1, Nodes)
                                       where a != b
                                       select string.Create(CultureInfo.InvariantCulture, $"[{a},{b},0.95,{-60 - ((a + b) * 7 % 15)}]");
            File.WriteAllText(path, $$"""{"nodes":{{Nodes}},"links":[{{string.Join(',', rows)}}]}""");
            TopologySpec topology = new(TopologyKind.Trace, Nodes, 0, 0, path, null);
            TrafficEntry traffic = new(null, TrafficTarget.Gateway, [], 10, 20, 30, false, false, MeshClass.Normal);
            var run = new SimulationRun(new Scenario("dense-45", 1, 150, topology, [traffic], []), 1, null);
            run.Mesh.RunUntil(20_000_000);
            long lostWhileJoining = run.Mesh.Total(counters => counters.NeighborsLost);
            run.RunToEnd();
            SimulationResult result = run.Measure(1);
            Assert.True(result.IsGood && result.DeliveryRatio >= 0.999, result.ToText());
            Assert.True(result.JoinMs.Max < 10_000, result.ToText());
            long lost = run.Mesh.Total(counters => counters.NeighborsLost) - lostWhileJoining;
            Assert.True(lost <= Nodes, $"{lost} verified neighbors were given up in {result.VirtualSeconds - 20} s though nothing changed");
        }
        finally
        {
            directory.Delete(recursive: true);
        }
    }

    [Fact]
    public void A_gateway_serves_forty_four_nodes_that_hear_nobody_else()
    {
        SimulationResult result = SimulationRun.Run(Scenario.Load("star-45"));
        Assert.True(result.IsGood && result.DeliveryRatio >= 0.999, result.ToText());
        Assert.True(result.JoinMs.Max < 10_000, result.ToText());
    }

    /// <summary>A full neighbor table takes a gateway in, whatever it is full of.</summary>
    [Theory]
    [InlineData(2)]
    [InlineData(5)]
    [InlineData(7)]
    public void Forty_nodes_with_the_gateway_behind_one_of_them_join_at_once(int seed)
    {
        SimulationResult result = SimulationRun.Run(Scenario.Load("dense-40") with { Seed = (ulong)seed });
        Assert.True(result.IsGood && result.DeliveryRatio >= 0.999, result.ToText());
        Assert.True(result.JoinMs.Max < 10_000, result.ToText());
    }

    /// <summary>The hub is no gateway and has exactly as many places as neighbors.</summary>
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(6)]
    public void A_relay_serves_sixteen_neighbors_that_hear_nobody_else(int seed)
    {
        SimulationResult result = RunStar(17, seed);
        Assert.True(result.IsGood && result.DeliveryRatio == 1, result.ToText());
        Assert.True(result.JoinMs.Max < 10_000, result.ToText());
    }

    /// <summary>Where a relay has more leaves than places, and nobody else serves them, they take turns, and the gateway keeps its place.</summary>
    [Theory]
    [InlineData(18, 1, 1)]
    [InlineData(18, 2, 1)]
    [InlineData(41, 3, 0.99)]
    [InlineData(41, 5, 0.99)]
    public void Leaves_of_a_relay_with_fewer_places_take_turns(int nodes, int seed, double leastDelivered)
    {
        SimulationResult result = RunStar(nodes, seed);
        Assert.True(result.DeliveryRatio >= leastDelivered && result.Loops == 0, result.ToText());
        Assert.True(result.JoinMs.Max < 30_000, result.ToText());
    }

    /// <summary>Two dense groups, one of them without a gateway, come in touch by one link while all tables are full.</summary>
    [Theory]
    [InlineData(1)]
    [InlineData(5)]
    public void Two_dense_groups_merge_over_one_link(int seed)
    {
        const int Each = 20;
        IEnumerable<string> rows = from a in Enumerable.Range(1, 2 * Each)
                                   from b in Enumerable.Range(1, 2 * Each)
                                   where a != b && (((a - 1) / Each == (b - 1) / Each) || (a + b == (2 * Each) + 1 && a - b is 1 or -1))
                                   select string.Create(CultureInfo.InvariantCulture, $"[{a},{b},1,-60]");
        DirectoryInfo directory = Directory.CreateTempSubdirectory("iotmesh-");
        try
        {
            string path = Path.Combine(directory.FullName, "bridge.json");
            File.WriteAllText(path, $$"""{"nodes":{{2 * Each}},"links":[{{string.Join(',', rows)}}]}""");
            TopologySpec topology = new(TopologyKind.Trace, 2 * Each, 0, 0, path, null);
            TrafficEntry traffic = new(null, TrafficTarget.Gateway, [], 2, 20, 20, false, false, MeshClass.Normal);
            FaultEntry[] faults =
            [
                new(0, FaultKind.Cut, Each, Each + 1, default, []),
                new(60, FaultKind.Restore, Each, Each + 1, default, []),
            ];
            SimulationResult result = SimulationRun.Run(new Scenario("bridge", (ulong)seed, 150, topology, [traffic], faults));
            Assert.True(result.IsGood && result.HealMs.Max < 20_000, result.ToText());
        }
        finally
        {
            directory.Delete(recursive: true);
        }
    }

    private static SimulationResult RunStar(int nodes, int seed)
    {
        TopologySpec topology = new(TopologyKind.Star, nodes, 0, 0, null, [2]);
        TrafficEntry traffic = new(null, TrafficTarget.Gateway, [], 2, 20, 20, false, false, MeshClass.Normal);
        return SimulationRun.Run(new Scenario("star", (ulong)seed, 120, topology, [traffic], []));
    }
}
