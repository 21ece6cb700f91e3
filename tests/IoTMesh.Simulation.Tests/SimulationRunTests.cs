using System.Text.Json;
using IoTMesh.Core;
using IoTMesh.Simulation;

namespace IoTMesh.Simulation.Tests;

public class SimulationRunTests
{
    private const string Churn = """
        {"name":"churn","durationSeconds":150,"topology":{"kind":"grid4","nodes":9,"loss":0.1},
         "traffic":[{"from":"all","to":"gateway","periodSeconds":2,"custody":true},{"from":[9],"to":[3],"periodSeconds":1,"confirmed":true}],
         "faults":[{"atSeconds":30,"kill":5},{"atSeconds":35,"start":5},{"atSeconds":40,"cut":[1,2]},{"atSeconds":50,"restore":[1,2]},
          {"atSeconds":51,"kill":1},{"atSeconds":55,"start":1}]}
        """;

    private static Scenario Parse(string json) => Scenario.Parse("test.json", System.Text.Encoding.UTF8.GetBytes(json));

    private static (string Trace, SimulationResult Result) Traced(Scenario scenario, ulong seed)
    {
        using StringWriter trace = new() { NewLine = "\n" };
        SimulationResult result = SimulationRun.Run(scenario, seed, new VirtualMeshOptions { Trace = trace });
        return (trace.ToString(), result);
    }

    [Fact]
    public void Same_seed_gives_the_same_trace_and_another_seed_another()
    {
        Scenario scenario = Parse(Churn);
        (string trace, SimulationResult result) = Traced(scenario, 42);
        (string traceAgain, SimulationResult again) = Traced(scenario, 42);
        Assert.Equal(trace, traceAgain);
        Assert.Equal(result.TraceHash, again.TraceHash);
        Assert.Matches("^[0-9a-f]{16}$", result.TraceHash);
        Assert.True(trace.Length > 100_000);
        Assert.NotEqual(result.TraceHash, SimulationRun.Run(scenario, 43).TraceHash);
    }

    [Fact]
    public void Runs_in_parallel_as_it_does_alone()
    {
        Scenario scenario = Parse(Churn);
        SimulationResults many = SimulationRun.RunMany(scenario, 1, 6);
        Assert.Equal([1UL, 2, 3, 4, 5, 6], many.Runs.Select(run => run.Seed));
        Assert.Equal(6, many.Runs.Select(run => run.TraceHash).Distinct().Count());
        Assert.Equal(SimulationRun.Run(scenario, 4).TraceHash, many.Runs[3].TraceHash);
        Assert.Equal(many.Runs.Sum(run => run.Sent), many.Sent);
    }

    [Fact]
    public void Custody_and_confirmation_survive_kills_cuts_and_a_gateway_restart()
    {
        SimulationResults many = SimulationRun.RunMany(Parse(Churn), 1, 4);
        Assert.True(many.IsGood, many.ToText());
        Assert.True(many.DeliveryRatio > 0.97, many.ToText());
        Assert.Equal(0, many.Runs.Sum(run => run.Duplicates));
    }

    [Theory]
    [InlineData("line-10", 1.0)]
    [InlineData("ring-12", 0.999)]
    [InlineData("star-12", 0.999)]
    [InlineData("grid4-16-loss10", 0.999)]
    [InlineData("grid4-32-loss20", 0.99)]
    [InlineData("tree3-50", 1.0)]
    [InlineData("node-to-node-no-gateway", 0.999)]
    [InlineData("transfer-line-6-loss20", 1.0)]
    [InlineData("broadcast-line-11", 0.99)]
    [InlineData("broadcast-grid4-32", 0.99)]
    [InlineData("broadcast-random-100", 0.99)]
    [InlineData("gateway-restart", 1.0)]
    [InlineData("partition-merge", 1.0)]
    [InlineData("moving-node", 0.98)]
    [InlineData("node-reboots", 0.98)]
    public void Built_in_scenario_delivers(string name, double ratioMin)
    {
        SimulationResult result = SimulationRun.Run(Scenario.Load(name));
        Assert.True(result.IsGood, result.ToText());
        Assert.True(result.Sent > 0 && result.DeliveryRatio >= ratioMin, result.ToText());
        Assert.Equal(result.Sent, result.Delivered + result.Lost.Count);
        Assert.Equal(result.Delivered, result.LatenciesMs.Count);
    }

    [Fact]
    public void Figures_of_a_loss_free_line_follow_from_its_shape()
    {
        SimulationResult result = SimulationRun.Run(Parse(
            """
            {"name":"l","durationSeconds":60,"topology":{"kind":"line","nodes":5},
            "traffic":[{"from":"all","to":"gateway","periodSeconds":1,"startSeconds":20}]}
            """));

        // Four sources, 30 seconds of traffic; 1 + 2 + 3 + 4 hops.
        Assert.Equal((120, 120, 0), (result.Sent, result.Delivered, result.Duplicates));
        Assert.Equal(2.5, result.HopsMean, 9);
        Assert.InRange(result.FramesPerHop, 0.9, 1.05);
        Assert.InRange(result.BytesPerDeliveredPerHop, 40, 80);
        Assert.Equal(4, result.JoinsMs.Count);
        Assert.InRange(result.JoinMs.Max, 1, 10_000);
        Assert.Empty(result.HealsMs);
        Assert.True(result.BytesOnAir > 40 * 300 && result.FramesOnAir > 300);
        Assert.Equal(60, result.VirtualSeconds);
    }

    [Fact]
    public void Heals_after_the_relay_beside_the_gateway_dies()
    {
        SimulationResults many = SimulationRun.RunMany(Scenario.Load("grid4-16-heal"), 1, 8);
        Assert.True(many.IsGood, many.ToText());

        // Messages that were on their way through it arrive by another; most seeds heal within the second that is not counted.
        Assert.True(many.LatencyMs.Max > 50 && many.HealMs.Max < 10_000 && many.DeliveryRatio > 0.999, many.ToText());
    }

    [Fact]
    public void Unreachable_nodes_are_listed_and_send_nothing()
    {
        DirectoryInfo directory = Directory.CreateTempSubdirectory("iotmesh-");
        try
        {
            File.WriteAllText(Path.Combine(directory.FullName, "t.json"), """{"nodes":3,"links":[[1,2,1,-60],[2,1,1,-60],[2,3,1,-60]]}""");
            string path = Path.Combine(directory.FullName, "s.json");
            File.WriteAllText(
                path,
                """{"durationSeconds":30,"topology":{"kind":"trace","file":"t.json"},"traffic":[{"from":"all","to":"gateway","periodSeconds":1}]}""");
            SimulationResult result = SimulationRun.Run(Scenario.Load(path));
            Assert.Equal([3], result.Unreachable);
            Assert.Equal((10, 10), (result.Sent, result.Delivered));
            Assert.Single(result.JoinsMs);
        }
        finally
        {
            directory.Delete(recursive: true);
        }
    }

    [Fact]
    public void Json_has_the_agreed_names_and_zeros_without_samples()
    {
        SimulationResult result = SimulationRun.Run(Parse("""{"name":"n","durationSeconds":2,"topology":{"kind":"line","nodes":2,"gateways":[]}}"""));
        using JsonDocument json = JsonDocument.Parse(result.ToJson());
        foreach (string name in new[]
        {
            "sent", "delivered", "deliveryRatio", "duplicates", "bytesOnAir", "framesOnAir", "bytesPerDeliveredPerHop", "framesPerHop",
            "idleBytesPerNodeSecond", "loops", "hopsMean", "virtualSeconds", "wallSeconds",
        })
        {
            Assert.Equal(JsonValueKind.Number, json.RootElement.GetProperty(name).ValueKind);
        }

        Assert.Equal(JsonValueKind.Array, json.RootElement.GetProperty("lost").ValueKind);
        Assert.Equal(JsonValueKind.String, json.RootElement.GetProperty("traceHash").ValueKind);
        Assert.Equal(["p50", "p99", "max"], json.RootElement.GetProperty("latencyMs").EnumerateObject().Select(property => property.Name));
        Assert.Equal(["p50", "max"], json.RootElement.GetProperty("joinMs").EnumerateObject().Select(property => property.Name));
        Assert.Equal(["median", "p99", "max"], json.RootElement.GetProperty("healMs").EnumerateObject().Select(property => property.Name));
        Assert.Equal(0, json.RootElement.GetProperty("healMs").GetProperty("median").GetDouble());
        using JsonDocument many = JsonDocument.Parse(new SimulationResults([result, result], 0.1).ToJson());
        Assert.Equal(2, many.RootElement.GetProperty("seeds").GetInt32());
        Assert.Equal(2, many.RootElement.GetProperty("runs").GetArrayLength());
    }

    [Fact]
    public void Hundred_nodes_run_much_faster_than_real_time()
    {
        SimulationResult result = SimulationRun.Run(Parse(
            """
            {"durationSeconds":120,"topology":{"kind":"grid8","nodes":100,"loss":0.1},
            "traffic":[{"from":"all","to":"gateway","periodSeconds":10,"startSeconds":30}]}
            """));
        Assert.True(result.WallSeconds < result.VirtualSeconds / 4, result.ToText());
        Assert.True(result.DeliveryRatio > 0.95, result.ToText());
    }

    [TracesTheory]
    [InlineData("grenoble-50", "deepRoot")]
    [InlineData("grenoble-50", "centralRoot")]
    [InlineData("orchard-16", "deepRoot")]
    [InlineData("orchard-16", "centralRoot")]
    public void Measured_graph_delivers(string name, string root)
    {
        string path = Path.Combine(Environment.GetEnvironmentVariable(TracesTheoryAttribute.Variable)!, name + ".json");
        using JsonDocument trace = JsonDocument.Parse(File.ReadAllText(path));
        int gateway = trace.RootElement.GetProperty(root).GetInt32();
        TopologySpec topology = new(TopologyKind.Trace, trace.RootElement.GetProperty("nodes").GetInt32(), 0, 0, path, [gateway]);
        TrafficEntry traffic = new(null, TrafficTarget.Gateway, [], 10, 20, 30, false, true, MeshClass.Normal);
        SimulationResult result = SimulationRun.Run(new Scenario(name, 1, 180, topology, [traffic], []));
        Assert.True(result.IsGood && result.DeliveryRatio > 0.99, result.ToText());
    }
}

/// <summary>Tests on radio graphs that people measured, which are not part of the product.</summary>
public sealed class TracesTheoryAttribute : TheoryAttribute
{
    public const string Variable = "IOTMESH_TRACES";

    public TracesTheoryAttribute()
    {
        Skip = Directory.Exists(Environment.GetEnvironmentVariable(Variable)) ? null : $"{Variable} names no folder with measured graphs";
    }
}
