using IoTMesh.Simulation;

namespace IoTMesh.Simulation.Tests;

public class RandomScenarioTests
{
    [Fact]
    public void Seed_decides_the_scenario()
    {
        Scenario a = RandomScenario.Create(5);
        Scenario b = RandomScenario.Create(5);
        Assert.Equal(a.Topology.Nodes, b.Topology.Nodes);
        Assert.Equal(
            a.Faults.Select(fault => (fault.AtSeconds, fault.Kind, fault.A)), b.Faults.Select(fault => (fault.AtSeconds, fault.Kind, fault.A)));
        Scenario[] many = [.. Enumerable.Range(1, 50).Select(seed => RandomScenario.Create((ulong)seed))];
        Assert.True(many.Select(scenario => scenario.Topology.Kind).Distinct().Count() > 4);
        Assert.True(many.SelectMany(scenario => scenario.Faults).Select(fault => fault.Kind).Distinct().Count() >= 8);
    }

    [Fact]
    public void No_drawn_fault_plan_makes_next_hops_loop()
    {
        SimulationResult[] results = new SimulationResult[12];
        Parallel.For(0, results.Length, i => results[i] = SimulationRun.Run(RandomScenario.Create((ulong)i + 1, nodesMax: 12)));
        Assert.All(results, result => Assert.True(result.Loops == 0, result.ToText()));
        Assert.True(results.Sum(result => result.Delivered) > 0.8 * results.Sum(result => result.Sent));
    }
}
