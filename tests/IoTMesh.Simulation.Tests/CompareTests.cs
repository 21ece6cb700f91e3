using System.Text;
using System.Text.Json;
using System.Xml.Linq;

namespace IoTMesh.Simulation.Tests;

/// <summary>Mesh, ring, star and client-server side by side.</summary>
public class CompareTests
{
    [Fact]
    public void Layouts_get_the_same_traffic_and_faults_by_role()
    {
        CompareOptions options = new(Nodes: 12);
        Scenario[] plans = [.. CompareLayout.All.Select(layout => CompareRun.ScenarioOf(layout, options, 3))];
        Assert.All(plans, plan => Assert.Equal(12, plan.Topology.Nodes));
        Assert.All(plans, plan => Assert.Equal(
            plans[0].Faults.Select(fault => (fault.AtSeconds, fault.Kind)), plan.Faults.Select(fault => (fault.AtSeconds, fault.Kind))));
        Assert.All(plans, plan => Assert.Equal(
            plans[0].Traffic.Select(entry => (entry.Target, entry.PeriodSeconds, entry.PayloadBytes)),
            plan.Traffic.Select(entry => (entry.Target, entry.PeriodSeconds, entry.PayloadBytes))));

        // A line closed to a ring: 2 and 12 are the gateway's neighbors, 7 is opposite.
        Scenario ring = plans[2];
        Assert.Equal([2, 2, 1, 1, 1, 1, 1, 1, 7, 7], ring.Faults.Select(fault => fault.A));
        Assert.Equal(12, ring.Faults[2].B);
        Assert.Equal(ring.ToJson(), Scenario.Parse("ring", Encoding.UTF8.GetBytes(ring.ToJson())).ToJson());
    }

    [Fact]
    public void Mesh_goes_on_without_its_gateway_star_without_its_service_and_clients_without_neither()
    {
        CompareResult result = CompareRun.Run(new CompareOptions(Nodes: 12, Seeds: 1));
        Assert.True(result.IsGood, result.ToText());
        Assert.All(result.Rows, row => Assert.InRange(row.Phases[0].ToGateway.Percent, 99, 100));
        Assert.All(result.Rows, row => Assert.InRange(row.Phases[0].BetweenNodes.Percent, 98, 100));
        double Between(string layout, string phase) =>
            result.Rows.Single(row => row.Layout == layout).Phases.Single(p => p.Name == phase).BetweenNodes.Percent;
        Assert.InRange(Between("grid", "gateway dead"), 95, 100);
        Assert.InRange(Between("star", "gateway dead"), 0, 40);
        Assert.InRange(Between("star", "gateway's service down"), 85, 100);
        Assert.InRange(Between("client-server", "gateway's service down"), 0, 40);
        Assert.InRange(result.Rows.Single(row => row.Layout == "ring").HopsMean, 2.5, 5);
        Assert.InRange(result.Rows.Single(row => row.Layout == "client-server").HopsMean, 1.2, 2);

        using JsonDocument json = JsonDocument.Parse(result.ToJson());
        JsonElement layouts = json.RootElement.GetProperty("layouts");
        Assert.Equal(5, layouts.GetArrayLength());
        JsonElement counts = layouts[0].GetProperty("phases")[0].GetProperty("toGateway");
        Assert.InRange(counts.GetProperty("delivered").GetInt64(), 100, counts.GetProperty("sent").GetInt64());
        XElement svg = XElement.Parse(result.ToSvg());
        Assert.Equal("svg", svg.Name.LocalName);
        Assert.InRange(svg.Elements().Count(element => element.Name.LocalName == "rect"), 5 * ((2 * 7) + 4), 200);
    }

    /// <summary>0.1 s of sending, 9.9 s of listening, 90 s asleep: 3.3 V (240 mA 0.1 s + 100 mA 9.9 s + 0.8 mA 90 s).</summary>
    [Fact]
    public void Energy_is_currents_times_times()
    {
        RadioUse use = new(SendSeconds: 0.1, AwakeSeconds: 10, AsleepSeconds: 90);
        Assert.Equal(3.3 * 0.024, RadioEnergy.SendingJoules(use), 9);
        Assert.Equal(3.3 * (0.024 + 0.99 + 0.072), RadioEnergy.TotalJoules(use), 9);
    }

    [Theory]
    [InlineData("""{"from":"all","to":"gateway","periodSeconds":5,"viaServer":true}""")]
    [InlineData("""{"from":"all","to":"any","periodSeconds":5,"viaServer":true,"confirmed":true}""")]
    public void Servers_pass_on_only_plain_messages_between_nodes(string traffic)
    {
        string json = $$"""{"durationSeconds":60,"topology":{"kind":"star","nodes":5},"traffic":[{{traffic}}]}""";
        InputException error = Assert.Throws<InputException>(() => Scenario.Parse("x.json", Encoding.UTF8.GetBytes(json)));
        Assert.Contains("viaServer", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Wrong_options_are_named()
    {
        string nodes = Assert.Throws<InputException>(() => CompareRun.Run(new CompareOptions(Nodes: 65))).Message;
        string loss = Assert.Throws<InputException>(() => CompareRun.Run(new CompareOptions(Loss: 0.9))).Message;
        Assert.StartsWith("compare: nodes", nodes, StringComparison.Ordinal);
        Assert.StartsWith("compare: loss", loss, StringComparison.Ordinal);
    }

    // Found by comparing layouts: senders kept to the key of gateways, and no message to such a node could be opened.
    [Fact]
    public void Messages_reach_a_node_whose_gateway_service_has_stopped()
    {
        const string Json = """
            {"durationSeconds":120,"topology":{"kind":"line","nodes":3},
            "traffic":[{"from":[3],"to":"gateway","periodSeconds":5,"startSeconds":10},{"from":[3],"to":[1],"periodSeconds":5,"startSeconds":10}],
            "faults":[{"atSeconds":40,"gatewayDown":1}]}
            """;
        SimulationResult result = SimulationRun.Run(Scenario.Parse("down", Encoding.UTF8.GetBytes(Json)));

        // The first is sealed for the life before the restart.
        Assert.True(result.IsGood && result.Lost.Count(lost => lost.To == 1) <= 2, result.ToText());
    }
}
