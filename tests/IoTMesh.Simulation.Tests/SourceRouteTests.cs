using System.Text;

namespace IoTMesh.Simulation.Tests;

/// <summary>Meshes of more nodes than a node's table has room for. protocol.md 5.7.</summary>
public class SourceRouteTests
{
    [Theory]
    [InlineData("line", 14, 6)]
    [InlineData("grid4", 49, 12)]
    [InlineData("random", 60, 16)]
    public void Custody_is_released_where_tables_are_too_small(string kind, int nodes, int maxRoutes)
    {
        SimulationResult result = Run(maxRoutes, $$"""
            {"durationSeconds":240,"topology":{"kind":"{{kind}}","nodes":{{nodes}},"loss":0.1},
            "traffic":[{"from":"all","to":"gateway","periodSeconds":10,"payloadBytes":20,"startSeconds":30,"custody":true}]}
            """, out int heldMax);
        Assert.True(result.IsGood && result.Delivered == result.Sent && result.Duplicates == 0, result.ToText());

        // 240 s hold 20 readings of each node; without a watermark a node would hold them all.
        Assert.InRange(heldMax, 0, 10);
    }

    [Theory]
    [InlineData("line", 14, 6)]
    [InlineData("grid4", 49, 12)]
    [InlineData("random", 60, 16)]
    public void Nodes_reach_each_other_and_the_gateway_reaches_all(string kind, int nodes, int maxRoutes)
    {
        SimulationResult result = Run(maxRoutes, $$"""
            {"durationSeconds":240,"topology":{"kind":"{{kind}}","nodes":{{nodes}},"loss":0.1},
            "traffic":[{"from":"all","to":"any","periodSeconds":20,"payloadBytes":20,"startSeconds":60,"confirmed":true},
            {"from":[1],"to":[{{nodes}}],"periodSeconds":2,"payloadBytes":20,"startSeconds":60,"confirmed":true},
            {"from":[1],"to":[{{nodes / 2}}],"periodSeconds":2,"payloadBytes":20,"startSeconds":60}]}
            """, out _);
        Assert.True(result.IsGood && result.DeliveryRatio >= 0.99, result.ToText());
    }

    private static SimulationResult Run(int maxRoutes, string json, out int heldMax)
    {
        Scenario scenario = Scenario.Parse("test", Encoding.UTF8.GetBytes(json));
        SimulationRun run = new(scenario, 1, new VirtualMeshOptions { Configure = config => config.MaxRoutes = maxRoutes });
        run.RunToEnd();
        heldMax = Enumerable.Range(2, run.Mesh.Topology.NodeCount - 1).Max(node => run.Mesh.CoreOf(node)!.CustodyCount);
        return run.Measure(0);
    }
}
