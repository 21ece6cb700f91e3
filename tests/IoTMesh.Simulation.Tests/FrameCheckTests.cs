using System.Reflection;
using System.Text;
using IoTMesh.Core;

namespace IoTMesh.Simulation.Tests;

/// <summary>What the checkers see of frames: copies, wrong bits, messages that come back; with nodes that are broken on purpose.</summary>
public class FrameCheckTests
{
    private const string Scene = """
        {"name":"r","durationSeconds":120,"topology":{"kind":"grid4","nodes":9,"loss":0.1},
         "radio":{"duplicate":0.1,"delayMs":4,"corrupt":0.05,"replay":0.05,"replaySeconds":7},
         "traffic":[{"from":"all","to":"gateway","periodSeconds":2,"custody":true},{"from":[9],"to":[3],"periodSeconds":1,"confirmed":true}],
         "faults":[{"atSeconds":40,"kill":5},{"atSeconds":50,"start":5},{"atSeconds":60,"kill":2},{"atSeconds":61,"start":2}]}
        """;

    private static Scenario Parse(string json) => Scenario.Parse("r.json", Encoding.UTF8.GetBytes(json));

    /// <summary>A private field of a core or of a part of it.</summary>
    private static T Field<T>(object owner, string name)
    {
        return (T)owner.GetType().GetField(name, BindingFlags.Instance | BindingFlags.NonPublic | BindingFlags.Public)!.GetValue(owner)!;
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void Copies_replays_and_wrong_bits_are_refused_and_traffic_flows_on(ulong seed)
    {
        SimulationResult run = SimulationRun.Run(Parse(Scene), seed);
        Assert.True(run.IsGood, run.ToText());
        Assert.True(run.Corrupted > 100, run.ToText());
        Assert.True(run.DeliveryRatio > 0.98, run.ToText());
        Assert.Equal(run.TraceHash, SimulationRun.Run(Parse(Scene), seed).TraceHash);
    }

    [Fact]
    public void Node_that_forgets_its_replay_windows_is_found()
    {
        SimulationRun run = new(Parse(Scene), 1, null);
        for (int ms = 15_000; ms < 25_000 && run.Measure(1).IsGood; ms++)
        {
            run.Mesh.RunUntil(ms * 1000L);
            for (int node = 1; node <= 9; node++)
            {
                object neighbors = Field<object>(run.Mesh.CoreOf(node)!, "_neighbors");
                Array.Clear(Field<Array>(neighbors, "CounterSeen"));
            }
        }

        Assert.Contains(run.Measure(1).Violations, violation => violation.Contains("twice", StringComparison.Ordinal));
    }

    [Fact]
    public void Messages_from_before_a_neighbor_was_forgotten_are_not_delivered_again()
    {
        // Somebody records all frames and plays them again when the two, which were apart for long enough, have met anew.
        SimulationResult run = SimulationRun.Run(Parse(
            """
            {"durationSeconds":340,"topology":{"kind":"line","nodes":2},"radio":{"replay":1,"replaySeconds":222},
             "traffic":[{"from":[2],"to":"gateway","periodSeconds":1},{"from":[1],"to":[2],"periodSeconds":1}],
             "faults":[{"atSeconds":30,"cut":[1,2]},{"atSeconds":250,"restore":[1,2]}]}
            """));
        Assert.True(run.IsGood, run.ToText());
    }

    [Fact]
    public void Node_whose_next_hop_leads_back_is_found_at_once()
    {
        SimulationRun run = new(Parse("""{"durationSeconds":60,"topology":{"kind":"line","nodes":3}}"""), 1, null);
        run.Mesh.RunUntil(20_000_000);
        MeshNode core = run.Mesh.CoreOf(2)!;
        object neighbors = Field<object>(core, "_neighbors");
        object routes = Field<object>(core, "_routes");
        int wrong = Array.IndexOf(Field<ushort[]>(neighbors, "Address"), (ushort)3);
        int route = Array.IndexOf(Field<ushort[]>(routes, "Destination"), (ushort)1);
        Field<byte[]>(routes, "_via")[route] = (byte)wrong;
        Assert.Equal(3, core.GetNextHop(1));
        ((IVirtualMeshObserver)run).RouteChanged(2, 1);
        SimulationResult result = run.Measure(1);
        Assert.Equal(1, result.Loops);
        Assert.Contains("lead from node 2 back to it, through node 3", Assert.Single(result.Violations), StringComparison.Ordinal);
    }

    [Fact]
    public void Table_over_its_bound_is_found()
    {
        SimulationRun run = new(Parse("""{"durationSeconds":60,"topology":{"kind":"star","nodes":6}}"""), 1, null);
        run.Mesh.RunUntil(20_000_000);
        Assert.True(run.Measure(1).IsGood);
        run.Mesh.CoreOf(1)!.Config.MaxNeighbors = 4;
        run.Mesh.RunUntil(40_000_000);
        Assert.Contains("a table of node 1 is over its bound: 5 neighbors", run.Measure(1).Violations[0], StringComparison.Ordinal);
    }

    [Fact]
    public void Source_that_gets_nothing_through_in_the_end_is_found()
    {
        SimulationRun run = new(
            Parse(
                """
                {"durationSeconds":90,"topology":{"kind":"line","nodes":3},
                 "traffic":[{"from":[3],"to":"gateway","periodSeconds":2},{"from":[2],"to":"gateway","periodSeconds":2}]}
                """), 1, null);
        run.Mesh.RunUntil(90_000_000);

        // As if the gateway's application had never been given what it had.
        List<Reading> readings = Field<List<Reading>>(run, "_readings");
        for (int i = 0; i < readings.Count; i++)
        {
            readings[i] = readings[i] with { DeliveredUs = readings[i].From == 3 ? -1 : readings[i].DeliveredUs };
        }

        run.RunToEnd();
        Assert.Contains("node 3 has a way to where its readings go", Assert.Single(run.Measure(1).Violations), StringComparison.Ordinal);
    }

    [Fact]
    public void Message_that_comes_back_is_found_with_its_way()
    {
        MessageTrail trail = new();
        Assert.False(Add(trail, 1, 2, 63));
        Assert.False(Add(trail, 2, 3, 62));
        Assert.False(Add(trail, 2, 3, 62));
        Assert.False(Add(trail, 3, 4, 61));
        Assert.False(Add(trail, 3, 5, 61, counter: 8));
        Assert.True(Add(trail, 4, 2, 60));
        Assert.Equal([2, 3, 4], trail.Found!.Nodes);
        Assert.All(trail.Found.Targets, target => Assert.Equal(MeshAddress.AnyGateway, target));
        Assert.Equal(0, trail.Unread);

        static bool Add(MessageTrail trail, int from, int to, byte hopLimit, ushort counter = 7)
        {
            byte[] frame = new byte[64];
            frame[0] = FrameFormat.MakeKind(FrameFormat.TypeData, 2);
            MessageHeader header = new() { Kind = 1, HopLimit = hopLimit, Origin = 1, Destination = MeshAddress.AnyGateway };
            header.Counter = counter;
            header.BodyLength = 20;
            int at = header.Emit(frame, FrameFormat.HeaderLength(FrameFormat.TypeData) + 1, (ushort)from, withLength: false);
            return trail.Add(frame, at + 20 + FrameFormat.TagLength, from, to, counter);
        }
    }

    [Fact]
    public void Trail_reads_every_message_of_a_run_and_long_runs_overwrite_it()
    {
        SimulationRun run = new(
            Parse(
                """
                {"durationSeconds":600,"topology":{"kind":"grid4","nodes":16,"loss":0.1,"gateways":[1,16]},
                 "traffic":[{"from":"all","to":"gateway","periodSeconds":1},{"from":[3],"to":"any","periodSeconds":1,"confirmed":true}]}
                """), 1, null);
        run.RunToEnd();
        Assert.Equal(0, run.Mesh.UnreadCount);
        Assert.True(run.Measure(1).DataFrames > MessageTrail.Capacity);
        Assert.True(run.Measure(1).IsGood, run.Measure(1).ToText());
    }

    [Fact]
    public void Circle_is_wrong_unless_somebody_on_it_changed_its_route()
    {
        SimulationRun run = new(Parse("""{"durationSeconds":60,"topology":{"kind":"line","nodes":3}}"""), 1, null);
        run.Mesh.RunUntil(20_000_000);
        IVirtualMeshObserver observer = run;
        observer.Revisited(new Revisit(3, 1, [2, 3], [1, 1], 0));
        Assert.True(run.Measure(1).IsGood);
        observer.Revisited(new Revisit(3, 1, [2, 3], [1, 1], 19_000_000));
        SimulationResult result = run.Measure(1);
        Assert.Equal(2, result.Revisits);
        Assert.Contains("2 (headed for 1), 3 (headed for 1), and back to 2", Assert.Single(result.Violations), StringComparison.Ordinal);
    }
}
