using System.Text;
using IoTMesh.Core;

namespace IoTMesh.Simulation.Tests;

/// <summary>The figures of a run, computed a second time from what was on the air and at the applications.</summary>
public class FiguresTests
{
    private const int TypeData = 0;
    private const int TypeAck = 2;

    private static Scenario Parse(string json) => Scenario.Parse("f.json", Encoding.UTF8.GetBytes(json));

    private static (SimulationResult Result, Tape Tape) Taped(string json, ulong seed = 1)
    {
        Tape tape = new();
        return (SimulationRun.Run(Parse(json), seed, new VirtualMeshOptions { Watch = tape }), tape);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public void Figures_agree_with_the_frames_on_the_air(ulong seed)
    {
        (SimulationResult run, Tape tape) = Taped(
            """
            {"durationSeconds":80,"topology":{"kind":"grid4","nodes":9,"loss":0.15},
             "traffic":[{"from":[5,9],"to":"gateway","periodSeconds":2,"startSeconds":25},{"from":[3],"to":[7],"periodSeconds":1,"startSeconds":20}]}
            """, seed);

        // A frame counts when it is handed to the radio, and is told of when it has arrived, at least 0.8 ms later.
        bool IsTraffic(Frame frame) => frame.EndUs > 20_000_000 + 800;
        Assert.InRange(run.BytesOnAir - tape.Frames.Sum(frame => (long)frame.Bytes), 0, 250);

        // Detours make it a little more than the shortest ways.
        long hops = run.Hops;
        Assert.InRange(hops, tape.Hops.Values.Sum(), tape.Hops.Values.Sum() * 1.15);
        Assert.Equal(tape.Made.Count, run.Sent);
        Assert.Equal(tape.Hops.Count, run.Delivered);
        long data = tape.Frames.Count(frame => IsTraffic(frame) && frame.Type == TypeData);
        long bytes = tape.Frames.Where(IsTraffic).Sum(frame => (long)frame.Bytes);
        Assert.Equal((double)data / hops, run.FramesPerHop, 0.01);
        Assert.Equal((double)bytes / hops, run.BytesPerDeliveredPerHop, 0.5);
        Assert.True(tape.Frames.Count(frame => frame.Type == TypeAck) > 0);
        long lastHalf = tape.Frames.Where(frame => frame.EndUs > 40_000_000 + 800).Sum(frame => (long)frame.Bytes);
        Assert.Equal(lastHalf / 40.0 / 9, run.IdleBytesPerNodeSecond, 0.2);
        double[] latencies = [.. tape.DeliveredUs.Select(pair => (pair.Value - tape.Made[pair.Key]) / 1000.0).Order()];
        Assert.Equal(latencies[^1], run.LatencyMs.Max, 1e-9);
        Assert.Equal(latencies[(int)Math.Ceiling(latencies.Length * 0.5) - 1], run.LatencyMs.P50, 1e-9);
    }

    [Fact]
    public void Traffic_starts_and_stops_as_stated_with_a_phase_for_each_source()
    {
        (SimulationResult run, Tape tape) = Taped(
            """
            {"durationSeconds":60,"topology":{"kind":"star","nodes":9},
             "traffic":[{"from":"all","to":"gateway","periodSeconds":4,"startSeconds":18}]}
            """);
        Assert.All(tape.Made.Values, madeUs => Assert.InRange(madeUs, 18_000_000, 50_000_000));
        Assert.Equal(8 * 8, run.Sent);
        Assert.Equal(8, tape.Made.Values.Where(madeUs => madeUs < 22_000_000).Distinct().Count());
    }

    [Fact]
    public void Node_killed_before_its_first_start_stays_away_until_it_is_started()
    {
        (SimulationResult run, Tape tape) = Taped(
            """
            {"durationSeconds":60,"topology":{"kind":"line","nodes":4},
             "traffic":[{"from":[4],"to":"gateway","periodSeconds":1,"startSeconds":15}],
             "faults":[{"atSeconds":0,"kill":4},{"atSeconds":30,"start":4}]}
            """);
        Assert.Equal(20, run.Sent);
        Assert.All(tape.Made.Values, madeUs => Assert.True(madeUs > 30_000_000));

        // Its own start counts, not that of the others.
        Assert.True(run.JoinMs.Max < 10_000, run.ToText());
    }

    [Fact]
    public void Missed_join_counts_the_whole_duration_and_a_node_that_never_ran_none()
    {
        (SimulationResult missed, _) = Taped(
            """{"durationSeconds":20,"topology":{"kind":"line","nodes":3},"faults":[{"atSeconds":0,"kill":1},{"atSeconds":0,"kill":2}]}""");
        Assert.Equal([20_000.0], missed.JoinsMs);
    }

    [Fact]
    public void Gateway_service_stopped_before_its_node_started_still_lets_the_node_start()
    {
        (SimulationResult run, _) = Taped(
            """
            {"durationSeconds":60,"topology":{"kind":"line","nodes":3},"traffic":[{"from":[3],"to":[1],"periodSeconds":1,"startSeconds":20}],
             "faults":[{"atSeconds":0,"gatewayDown":1}]}
            """);
        Assert.Equal((30, 30), (run.Sent, run.Delivered));
    }

    [Fact]
    public void Join_without_gateways_is_the_first_route_to_anybody()
    {
        (SimulationResult run, _) = Taped("""{"durationSeconds":20,"topology":{"kind":"line","nodes":3,"gateways":[]}}""");
        Assert.Equal(3, run.JoinsMs.Count);
        Assert.InRange(run.JoinMs.Max, 1, 5_000);
    }

    [Fact]
    public void Sums_over_seeds_are_pooled_and_progress_is_told()
    {
        Scenario scenario = Parse(
            """{"durationSeconds":40,"topology":{"kind":"line","nodes":4},"traffic":[{"from":"all","to":"gateway","periodSeconds":2}]}""");
        List<int> told = [];
        SimulationResults many = SimulationRun.RunMany(scenario, 5, 4, told.Add);
        Assert.Equal([1, 2, 3, 4], told);
        Assert.Equal((double)many.Runs.Sum(run => run.DataFrames) / many.Runs.Sum(run => run.ReadingHops), many.FramesPerHop);
        Assert.Contains("\"bytesPerDeliveredPerHop\"", many.ToJson()[..many.ToJson().IndexOf("\"distribution\"", StringComparison.Ordinal)],
            StringComparison.Ordinal);
    }

    private readonly record struct Frame(long EndUs, int Type, int Bytes);

    /// <summary>Notes what a run shows to the outside.</summary>
    private sealed class Tape : IRunWatch
    {
        private VirtualMesh? _mesh;

        public List<Frame> Frames { get; } = [];

        public Dictionary<int, long> Made { get; } = [];

        public Dictionary<int, long> DeliveredUs { get; } = [];

        /// <summary>Links on the shortest way of each delivered reading, from the positions in the grid.</summary>
        public Dictionary<int, long> Hops { get; } = [];

        private Dictionary<int, int> From { get; } = [];

        public void Begun(VirtualMesh mesh) => _mesh = mesh;

        public void FrameEnded(in AirFrame frame) => Frames.Add(new Frame(frame.EndUs, (frame.Bytes[0] >> 2) & 15, frame.Bytes.Length));

        public void RouteChanged(long nowUs, int node)
        {
        }

        public void Faulted(long nowUs, FaultEntry fault)
        {
        }

        public void Violated(long nowUs, string what) => Assert.Fail(what);

        public void Ended(long nowUs)
        {
        }

        void IRunWatch.Made(long nowUs, int reading, int from, int to, SendResult taken)
        {
            Made[reading] = nowUs;
            From[reading] = from;
        }

        public void Delivered(long nowUs, int reading, int at)
        {
            DeliveredUs[reading] = nowUs;
            RadioPosition a = _mesh!.Topology.PositionOf(From[reading]);
            RadioPosition b = _mesh.Topology.PositionOf(at);
            Hops[reading] = (long)Math.Round(Math.Abs(a.X - b.X) + Math.Abs(a.Y - b.Y));
        }
    }
}
