using System.Text;

namespace IoTMesh.Simulation.Tests;

/// <summary>Messages that came back to a node they had left, as the search for faults found them, by the seed of their run.</summary>
public class CircleTests
{
    /// <summary>
    /// Where half of all frames are lost, a message was diverted to the neighbor that had handed it over: it had become feasible by a
    /// newer sequence number, and its own next hop still led back.
    /// </summary>
    [Theory]
    [InlineData(40183)]
    [InlineData(47)]
    public void Lossy_grid_with_a_gateway_diverts_no_message_to_where_it_came_from(int seed)
    {
        Check(seed, """
            {"name":"c","durationSeconds":31,"topology":{"kind":"grid4","nodes":9,"loss":0.58,"gateways":[5]},"clockDriftPpm":14.7,
             "traffic":[{"from":[7,8,9],"to":"any","periodSeconds":4,"payloadBytes":4,"startSeconds":1,"class":"bulk"}]}
            """);
    }

    [Theory]
    [InlineData(50011)]
    [InlineData(30)]
    [InlineData(50)]
    public void Lossy_grid_diverts_no_message_to_where_it_came_from(int seed)
    {
        Check(seed, """
            {"name":"c","durationSeconds":47,"topology":{"kind":"grid4","nodes":9,"loss":0.55,"gateways":[]},"clockDriftPpm":20.8,
             "radio":{"model":"simple","phy":"espnow","duplicate":0.054,"delayMs":6},
             "traffic":[{"from":"all","to":"any","periodSeconds":20,"payloadBytes":8,"startSeconds":15}]}
            """);
    }

    /// <summary>
    /// The sender of a message for any gateway had just heard that the nearer of its two gateways ended; the next node had not, and its
    /// own way to that gateway led back: a real reroute, though it was the sender's and not the next node's.
    /// </summary>
    [Theory]
    [InlineData(50042)]
    [InlineData(5)]
    [InlineData(28)]
    public void Ring_where_two_gateways_end_is_judged_by_the_news_of_both_neighbors(int seed)
    {
        Check(seed, """
            {"name":"c","durationSeconds":101,"topology":{"kind":"ring","nodes":15,"loss":0.27,"gateways":[4,8,14]},
             "traffic":[{"from":"all","to":"gateway","periodSeconds":24,"payloadBytes":8,"startSeconds":15,"custody":true}],
             "faults":[{"atSeconds":89,"gatewayDown":8},{"atSeconds":89,"gatewayDown":14}]}
            """);
    }

    /// <summary>
    /// Two neighbors, each of which had heard of the end of another gateway, passed messages to and fro: each knew one gateway only and
    /// so wrote none into them.
    /// </summary>
    [Theory]
    [InlineData(70523)]
    [InlineData(11)]
    [InlineData(42)]
    public void Lossy_grid_where_a_gateway_ends_keeps_messages_to_one_gateway(int seed)
    {
        Check(seed, """
            {"name":"c","durationSeconds":25,"topology":{"kind":"grid4","nodes":25,"loss":0.59,"gateways":[9,21]},"clockDriftPpm":62,
             "traffic":[{"from":[1,2,3,4,5,6,7,8,10,11,12],"to":"gateway","periodSeconds":6,"payloadBytes":8,"startSeconds":1,"custody":true}],
             "faults":[{"atSeconds":13,"kill":10},{"atSeconds":14,"gatewayDown":21}]}
            """);
    }

    private static void Check(int seed, string json)
    {
        SimulationResult result = SimulationRun.Run(Scenario.Parse("circle.json", Encoding.UTF8.GetBytes(json)), (ulong)seed);
        Assert.Empty(result.Violations);
        Assert.True(result.Delivered > 0);
    }
}
