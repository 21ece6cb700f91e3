using System.Text;

namespace IoTMesh.Simulation.Tests;

/// <summary>What custody covers, and what it does not. protocol.md 6.3, 6.4, 9.2.</summary>
public class CustodyScenarioTests
{
    [Fact]
    public void Nodes_that_restart_while_the_gateway_is_away_lose_only_what_was_not_stored_yet()
    {
        SimulationResult result = SimulationRun.Run(Scenario.Load("custody-power-loss"));
        Assert.True(result.IsGood && result.Duplicates == 0, result.ToText());
        Assert.All(result.Lost, lost => Assert.Equal("powerCut", lost.Reason));
        Assert.InRange(result.Delivered, result.Sent - 12, result.Sent);
        SimulationResult without = SimulationRun.Run(Scenario.Load("custody-power-loss"), null, new VirtualMeshOptions { StoreCustody = false });
        Assert.True(without.Delivered < result.Delivered - 50, "flash made no difference: the test shows nothing");
    }

    [Fact]
    public void Readings_handed_on_arrive_although_their_origin_died_for_good()
    {
        Scenario scenario = Scenario.Load("custody-origin-dies");
        SimulationResult result = SimulationRun.Run(scenario);
        Assert.True(result.IsGood && result.Duplicates == 0, result.ToText());

        // The gateway is out of reach for 301 s: what took longer waited at a router.
        Assert.True(result.LatenciesMs.Count(ms => ms > 290_000) > 0, result.ToText());
        SimulationResult hasty = SimulationRun.Run(scenario, null, new VirtualMeshOptions { Configure = config => config.ReadingHoldMs = 8_000 });
        Assert.Equal(0, hasty.LatenciesMs.Count(ms => ms > 290_000));
    }

    [Fact]
    public void Parted_gateways_go_on_and_hold_each_reading_under_one_key()
    {
        SimulationResult result = SimulationRun.Run(Scenario.Load("custody-two-gateways"));

        // A gateway that had a reading twice, or under another key than its origin's, fails the run.
        Assert.True(result.IsGood && result.Lost.Count == 0, result.ToText());
        Assert.InRange(result.Duplicates, 1, result.Sent / 20);
        Assert.InRange(result.LatenciesMs.Count(ms => ms <= 1_000), 0.98 * result.Sent, result.Sent);
    }

    // Found by the fault search: messages to dead nodes filled the queue and asked for their routes for ever.
    [Fact]
    public void Dead_destinations_do_not_hold_up_readings_in_custody()
    {
        const string Json = """
            {"name":"dead","seed":50174,"durationSeconds":137,"topology":{"kind":"line","nodes":4,"gateways":[2]},
            "traffic":[{"from":[1],"to":"gateway","periodSeconds":16,"payloadBytes":8,"startSeconds":1,"custody":true},
            {"from":[1],"to":"any","periodSeconds":4,"payloadBytes":8,"startSeconds":15,"class":"realtime"}],
            "faults":[{"atSeconds":15,"kill":3}]}
            """;
        SimulationResult result = SimulationRun.Run(Scenario.Parse("dead", Encoding.UTF8.GetBytes(Json)));
        Assert.True(result.IsGood, result.ToText());
        Assert.DoesNotContain(result.Lost, lost => lost.To == 0);

        // It stood at 39 bytes a second, nearly all of them requests.
        Assert.InRange(result.IdleBytesPerNodeSecond, 0, 12);
    }
}
