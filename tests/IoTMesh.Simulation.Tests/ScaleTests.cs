using System.Text;

namespace IoTMesh.Simulation.Tests;

/// <summary>Meshes larger than a node's tables, and long runs. The full sizes are outside CI: docs/benchmarks.md.</summary>
public class ScaleTests
{
    /// <summary>In full route tables gateways once waited a minute for a place, and quiet neighbors were taken for dead.</summary>
    [Fact]
    public void A_mesh_of_200_forms_at_once_and_is_quiet_when_idle()
    {
        SimulationResult result = Run("""
            {"durationSeconds":200,"topology":{"kind":"random","nodes":200,"loss":0.1},
            "traffic":[{"from":"all","to":"gateway","periodSeconds":60,"payloadBytes":20,"startSeconds":10}]}
            """);
        Assert.True(result.IsGood && result.DeliveryRatio >= 0.999, result.ToText());
        Assert.InRange(result.JoinMs.Max, 1, 5_000);

        SimulationResult idle = Run("""{"durationSeconds":400,"topology":{"kind":"random","nodes":200,"loss":0.1},"traffic":[]}""");
        Assert.InRange(idle.IdleBytesPerNodeSecond, 0.1, 5);
    }

    [Fact]
    public void A_soak_repeats_exactly_loses_nothing_and_tells_each_hour()
    {
        SoakOptions options = new(Nodes: 15, Hours: 3);
        List<int> hours = [];
        SoakResult result = SoakRun.Run(options, hour => hours.Add(hour.Hour));
        Assert.True(result.Lost == 0 && result.Evicted == 0 && result.Violations.Count == 0, result.ToText());
        Assert.Equal([1, 2, 3], hours);
        Assert.InRange(result.Committed, 1_500, result.Sent - result.DiedWithNode);
        Assert.InRange(result.Faults.Values.Sum(), 60, 400);
        Assert.Equal(5, result.Faults.Count);
        Assert.Equal(result.TraceHash, SoakRun.Run(options).TraceHash);
    }

    private static SimulationResult Run(string json) => SimulationRun.Run(Scenario.Parse("test", Encoding.UTF8.GetBytes(json)));
}
