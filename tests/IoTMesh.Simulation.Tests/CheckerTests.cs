using System.Text;
using IoTMesh.Core;
using IoTMesh.Simulation;

namespace IoTMesh.Simulation.Tests;

/// <summary>The checkers must find what they are there for, so each is shown a run that was tampered with.</summary>
public class CheckerTests
{
    private const string Scene = """
        {"name":"c","durationSeconds":60,"topology":{"kind":"line","nodes":3},
         "traffic":[{"from":[2],"to":"gateway","periodSeconds":4},{"from":[3],"to":"gateway","periodSeconds":4,"custody":true}]}
        """;

    private readonly SimulationRun _run = new(Scenario.Parse("c.json", Encoding.UTF8.GetBytes(Scene)), 1, null);

    private IVirtualMeshObserver Observer => _run;

    /// <summary>A delivery as a core makes it: the payload tells the index of the reading.</summary>
    private static MeshOutput Delivery(int index, ushort origin, bool isReading = false, uint seq = 0)
    {
        MeshOutput output = new(250) { Kind = OutputKind.Deliver, Origin = origin, Port = MeshPort.FirstUser, Length = 20, Hops = 1 };
        output.IsReading = isReading;
        output.Boot = 1;
        output.ReadingSeq = seq;
        BitConverter.TryWriteBytes(output.Buffer, index);
        for (int i = 4; i < 20; i++)
        {
            output.Buffer[i] = (byte)((index * 31) + (i * 7));
        }

        return output;
    }

    private SimulationResult RunTo(double seconds)
    {
        _run.Mesh.RunUntil((long)(seconds * 1e6));
        return _run.Measure(1);
    }

    [Fact]
    public void Untouched_run_is_good()
    {
        _run.RunToEnd();
        Assert.True(_run.Measure(1).IsGood);
    }

    [Fact]
    public void Finds_a_message_delivered_twice()
    {
        SimulationResult before = RunTo(50);
        Assert.Equal((before.Sent, 0), (before.Delivered, before.Duplicates));
        Observer.Delivered(1, Delivery(IndexOfFirst(2), 2));
        SimulationResult after = _run.Measure(1);
        Assert.Equal(1, after.Duplicates);
        Assert.Contains("twice", Assert.Single(after.Violations), StringComparison.Ordinal);
    }

    [Fact]
    public void Finds_a_reading_delivered_twice_to_one_gateway()
    {
        RunTo(50);
        Observer.Delivered(1, Delivery(IndexOfFirst(3), 3, isReading: true, seq: 1));
        SimulationResult after = _run.Measure(1);
        Assert.Equal(1, after.Duplicates);
        Assert.Contains("reading 1 of boot 1 from 3 twice", Assert.Single(after.Violations), StringComparison.Ordinal);
    }

    [Fact]
    public void Finds_a_reading_under_a_wrong_number()
    {
        RunTo(50);
        Observer.Delivered(1, Delivery(IndexOfFirst(3), 3, isReading: true, seq: 999));
        Assert.Contains("under another number", _run.Measure(1).Violations[0], StringComparison.Ordinal);
    }

    [Fact]
    public void Finds_changed_invented_and_misled_messages()
    {
        RunTo(50);
        MeshOutput changed = Delivery(IndexOfFirst(2), 2);
        changed.Buffer[10] ^= 1;
        Observer.Delivered(1, changed);
        Observer.Delivered(1, Delivery(100_000, 2));
        Observer.Delivered(1, Delivery(IndexOfFirst(2), 3));
        Observer.Delivered(3, Delivery(IndexOfFirst(2), 2));
        IReadOnlyList<string> violations = _run.Measure(1).Violations;
        Assert.Equal(4, violations.Count);
        Assert.All(violations.Take(3), violation => Assert.Contains("nobody sent like this", violation, StringComparison.Ordinal));
        Assert.Contains("node 3 was handed a message from 2 to 0", violations[3], StringComparison.Ordinal);
    }

    [Fact]
    public void Finds_a_node_without_a_route_at_the_end()
    {
        // Nodes 2 and 3 lose each other right before the end is judged, and node 3's route still leads there.
        RunTo(59);
        _run.Mesh.Medium.Cut(2, 3);
        _run.Mesh.Medium.Move(3, 0, 1);
        _run.RunToEnd();
        Assert.Contains(_run.Measure(1).Violations, violation => violation.Contains("no route that leads to one", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData(new[] { 0, 2, 3, 4, 0 }, 1, 0)]
    [InlineData(new[] { 0, 2, 3, 1, 0 }, 1, 3)]
    [InlineData(new[] { 0, 2, 1, 1, 0 }, 1, 2)]
    [InlineData(new[] { 0, 2, 3, 2, 0 }, 1, 0)]
    [InlineData(new[] { 0, 2, 9, 0, 0 }, 1, 0)]
    [InlineData(new[] { 0, 1, 0, 0, 0 }, 1, 1)]
    public void Finds_cycles_of_next_hops(int[] nextHops, int node, int before)
    {
        Assert.Equal(before, RouteCycle.Find(node, 4, at => nextHops[at]));
    }

    /// <summary>Which reading a source made first; phases are drawn, so one of the two sources made reading 0 and the other reading 1.</summary>
    private int IndexOfFirst(int source) => _run.SourceOf(0) == source ? 0 : 1;
}
