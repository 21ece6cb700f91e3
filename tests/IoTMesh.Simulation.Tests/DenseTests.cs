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
}
