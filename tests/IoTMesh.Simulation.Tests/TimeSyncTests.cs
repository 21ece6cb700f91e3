using IoTMesh.Simulation;

namespace IoTMesh.Simulation.Tests;

/// <summary>Mesh time over clocks that drift.</summary>
public class TimeSyncTests
{
    [Fact]
    public void Five_hops_with_drifting_clocks_stay_within_10_ms()
    {
        Scenario scenario = Scenario.Load("time-line-6") with { DurationSeconds = 900 };
        SimulationResults results = SimulationRun.RunMany(scenario, 1, 4);
        Assert.True(results.IsGood);
        Assert.InRange(results.TimeErrorMs.Count, 4 * 5 * 85, 4 * 5 * 90);
        Assert.InRange(results.TimeErrorMs.P99, 0.5, 10);
        Assert.Contains("\"timeErrorMs\"", results.ToJson(), StringComparison.Ordinal);
    }

    [Fact]
    public void Time_is_kept_while_the_gateway_is_away()
    {
        SimulationResult result = SimulationRun.Run(Scenario.Load("time-gateway-away"), 2);
        Assert.True(result.IsGood);
        Assert.InRange(result.TimeErrorMs.P99, 0.5, 10);
    }

    [Fact]
    public void Drifting_clocks_still_repeat_exactly_and_move_the_outcome()
    {
        Scenario scenario = Scenario.Load("time-line-6") with { DurationSeconds = 120 };
        string drifting = SimulationRun.Run(scenario, 3).TraceHash;
        Assert.Equal(drifting, SimulationRun.Run(scenario, 3).TraceHash);
        Assert.NotEqual(drifting, SimulationRun.Run(scenario with { ClockDriftPpm = 0 }, 3).TraceHash);
    }

    [Fact]
    public void Clock_drift_is_read_and_bounded()
    {
        const string Head = """{"durationSeconds": 20, "topology": {"kind": "line", "nodes": 2}, "clockDriftPpm": """;
        Assert.Equal(25.5, Scenario.Parse("a.json", System.Text.Encoding.UTF8.GetBytes(Head + "25.5}")).ClockDriftPpm);
        Assert.Throws<InputException>(() => Scenario.Parse("a.json", System.Text.Encoding.UTF8.GetBytes(Head + "501}")));
    }
}
