using System.Text;

namespace IoTMesh.Simulation.Tests;

/// <summary>Sixteen nodes that all hear each other over one channel: what a restart of the gateway sets off must end.</summary>
public class DenseRadioTests
{
    private const string Faults = """
        {"atSeconds":40,"kill":2},{"atSeconds":45,"start":2},{"atSeconds":50,"cut":[1,5]},{"atSeconds":60,"restore":[1,5]},
        {"atSeconds":65,"move":[16,0.5,0.5]},{"atSeconds":70,"partition":[[1,2,3,4,5,6,7,8]]},{"atSeconds":75,"merge":true},
        {"atSeconds":80,"kill":1},{"atSeconds":85,"start":1}
        """;

    private static SimulationResult Run(ulong seed)
    {
        string json = $$"""
            {"name":"dense-restart","durationSeconds":150,"topology":{"kind":"grid4","nodes":16},
            "radio":{"model":"physical","unitMeters":40,"corrupt":0.01},
            "traffic":[{"from":"all","to":"gateway","periodSeconds":2,"startSeconds":20,"custody":true}],"faults":[{{Faults}}]}
            """;
        return SimulationRun.Run(Scenario.Parse("dense-restart.json", Encoding.UTF8.GetBytes(json)), seed);
    }

    // Seeds whose nodes had twelve verified neighbors, three quarters of their tables, when the gateway came back: none asked it for a sign of life.
    [Theory]
    [InlineData(4)]
    [InlineData(7)]
    [InlineData(18)]
    public void A_gateway_that_restarts_is_used_again_where_tables_are_full_of_others(ulong seed)
    {
        SimulationResult result = Run(seed);
        Assert.True(result.IsGood && result.DeliveryRatio >= 1, result.ToText());
    }

    // Seeds with 100,000 frames and more, up to the end, before beacons and requests were paced.
    [Theory]
    [InlineData(3)]
    [InlineData(22)]
    [InlineData(38)]
    public void A_storm_of_beacons_and_requests_ends(ulong seed)
    {
        SimulationResult result = Run(seed);
        Assert.True(result.IsGood && result.DeliveryRatio >= 1, result.ToText());
        Assert.True(result.FramesOnAir < 50_000, result.ToText());
    }

    // Seeds with 29,000 and 36,000 frames while the wait for an ack began before the radio had found a free channel.
    [Theory]
    [InlineData(23)]
    [InlineData(44)]
    public void Frames_that_wait_for_a_free_channel_are_not_sent_again(ulong seed)
    {
        SimulationResult result = Run(seed);
        Assert.True(result.FramesOnAir < 12_000, result.ToText());
    }
}
