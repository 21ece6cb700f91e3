using System.Text;

namespace IoTMesh.Simulation.Tests;

/// <summary>Neighbors that are heard and answer nothing. protocol.md 5.3.</summary>
public sealed class OneWayTests : IDisposable
{
    private readonly string _topology = Path.GetTempFileName();

    public void Dispose() => File.Delete(_topology);

    /// <summary>Of four nodes in a line, each hears the ones that do not hear it. Asked every 10 s: 4.2 bytes per node and second.</summary>
    [Fact]
    public void Who_answers_nothing_is_asked_ever_more_rarely()
    {
        File.WriteAllText(_topology, """
            {"nodes": 4, "links": [[1, 2, 1, -60], [2, 1, 1, -60], [2, 3, 1, -60], [3, 2, 1, -60], [3, 4, 1, -60], [4, 3, 1, -60],
            [3, 1, 1, -70], [4, 1, 1, -70], [2, 4, 1, -70]]}
            """);
        SimulationResult result = SimulationRun.Run(Scenario.Parse("one-way", Encoding.UTF8.GetBytes(
            $$"""{"durationSeconds":1800,"topology":{"kind":"trace","file":"{{_topology.Replace('\\', '/')}}"},"traffic":[]}""")));
        Assert.True(result.IsGood, result.ToText());
        Assert.InRange(result.IdleBytesPerNodeSecond, 0.1, 3);
    }
}
