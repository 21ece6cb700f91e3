namespace IoTMesh.Simulation.Tests;

/// <summary>protocol.md 5.3: holes are found where there is little traffic, or none.</summary>
public class HealingTests
{
    private const string Kill = """[{"atSeconds":20,"kill":2}]""";

    private static Scenario Parse(string traffic, string faults, double durationSeconds)
    {
        string json =
            $$"""{"durationSeconds":{{durationSeconds}},"topology":{"kind":"grid4","nodes":16},"traffic":[{{traffic}}],"faults":{{faults}}}""";
        return Scenario.Parse("test.json", System.Text.Encoding.UTF8.GetBytes(json));
    }

    [Theory]
    [InlineData("grid4-16-heal")]
    [InlineData("grid4-16-heal-10s")]
    [InlineData("grid4-16-heal-minute")]
    public void No_reading_is_lost_and_none_waits_for_5_seconds_where_a_relay_dies(string scenario)
    {
        SimulationResults many = SimulationRun.RunMany(Scenario.Load(scenario), 1, 10);
        Assert.True(many.IsGood && many.Delivered == many.Sent && many.LatencyMs.Max < 5_000 && many.RepairMs.Max < 5_000, many.ToText());
    }

    [Fact]
    public void An_idle_mesh_converges_after_a_relay_died()
    {
        // Nobody sends: node 3 and 6 must find out by asking. 80 s after the fault the checkers demand it.
        SimulationResults many = SimulationRun.RunMany(Parse(string.Empty, Kill, 100), 1, 8);
        Assert.True(many.IsGood, many.ToText());
    }

    [Fact]
    public void A_mesh_with_one_source_converges_after_a_relay_died()
    {
        string traffic = """{"from":[16],"to":"gateway","periodSeconds":1}""";
        SimulationResults many = SimulationRun.RunMany(Parse(traffic, Kill, 100), 1, 8);
        Assert.True(many.IsGood && many.Delivered == many.Sent, many.ToText());
    }

    [Fact]
    public void Faults_that_do_nothing_do_not_shorten_the_time_to_heal()
    {
        string traffic = """{"from":"all","to":"gateway","periodSeconds":60}""";
        string kill = """{"atSeconds":60,"kill":2}""";
        string nothing = string.Concat(Enumerable.Range(1, 100).Select(i => $$""",{"atSeconds":{{60 + (i / 2.0)}},"restore":[13,14]}"""));
        int healed = 0;
        for (ulong seed = 1; seed <= 40; seed++)
        {
            SimulationResult plain = SimulationRun.Run(Parse(traffic, $"[{kill}]", 200), seed);
            SimulationResult disturbed = SimulationRun.Run(Parse(traffic, $"[{kill}{nothing}]", 200), seed);
            Assert.Equal(plain.TraceHash, disturbed.TraceHash);
            Assert.Equal(plain.RepairsMs, disturbed.RepairsMs);
            Assert.Equal(plain.HealsMs, disturbed.HealsMs);
            healed += plain.HealsMs.Count;
        }

        Assert.NotEqual(0, healed);
    }
}
