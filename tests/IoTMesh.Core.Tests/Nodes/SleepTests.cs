using IoTMesh.Core;

namespace IoTMesh.Core.Tests.Nodes;

/// <summary>Sleepy leaves and their parents. protocol.md 5.9.</summary>
public class SleepTests
{
    private const int Leaf = 5;
    private const int PollMs = 5_000;

    /// <summary>1 (gateway) with relays 2 and 3 behind it; leaf 5 hears both.</summary>
    private static MiniMesh Started(Action<MeshConfig>? more = null, int seed = 1)
    {
        var mesh = new MiniMesh(seed)
        {
            Configure = config =>
            {
                config.IsSleepyLeaf = config.Address >= Leaf;
                config.PollIntervalMs = PollMs;
                more?.Invoke(config);
            },
        };
        mesh.Link(1, 2);
        mesh.Link(1, 3);
        mesh.Link(2, 3);
        mesh.Link(2, Leaf);
        mesh.Link(3, Leaf);
        mesh.Start(1, true);
        mesh.Start(2);
        mesh.Start(3);
        mesh.Run(5_000);
        mesh.Start(Leaf);
        mesh.Run(3_000);
        return mesh;
    }

    private static int OtherParent(MiniMesh mesh) => mesh.Nodes[Leaf].Parent == 2 ? 3 : 2;

    private static void Send(MiniMesh mesh, int from, int to, byte port, bool confirmed = true)
    {
        Assert.Equal(SendResult.Accepted, mesh.Nodes[from].Send(mesh.NowMs, (ushort)to, port, MeshClass.Normal, confirmed, [port], 0, 1, out _));
        mesh.Drain(from);
    }

    [Fact]
    public void Leaf_finds_a_parent_at_once_and_sleeps()
    {
        MiniMesh mesh = Started();
        MeshNode leaf = mesh.Nodes[Leaf];
        Assert.InRange(leaf.Parent, 2, 3);
        Assert.Equal(1, mesh.Nodes[leaf.Parent].ChildCount);
        Assert.True(leaf.MaySleep);
        Assert.InRange(leaf.SleepUntilMs - mesh.NowMs, 1, PollMs);
        Assert.Equal(leaf.SleepUntilMs, leaf.NextDeadlineMs);

        // Four polls may stay away; times are told in steps of 256 ms.
        long graceMs = mesh.Nodes[leaf.Parent].ChildGiveUpMs(mesh.NowMs, Leaf) - leaf.SleepUntilMs;
        Assert.InRange(graceMs, 4 * PollMs, (4 * PollMs) + (6 * PollFormat.UnitMs));
        Assert.NotEqual(MeshAddress.None, mesh.Nodes[1].GetNextHop(Leaf));
        Assert.Equal(leaf.Parent, mesh.Nodes[1].GetNextHop(Leaf));
    }

    [Fact]
    public void Leaf_relays_nothing_and_sends_no_beacons()
    {
        MiniMesh mesh = Started();
        mesh.Run(60_000);
        byte[][] sent = mesh.Frames.Where(f => f.From == Leaf).Select(f => f.Frame).ToArray();
        Assert.DoesNotContain(sent, frame => FrameFormat.GetType(frame[0]) == FrameFormat.TypeBeacon);
        Assert.InRange(sent.Count(frame => FrameFormat.GetType(frame[0]) == FrameFormat.TypePoll), 12, 20);
        Assert.NotEqual(Leaf, mesh.Nodes[1].GetNextHop(2));
    }

    [Fact]
    public void Commands_wait_in_the_mailbox_and_arrive_at_the_next_poll()
    {
        MiniMesh mesh = Started();
        mesh.Nodes[Leaf].SendReading(mesh.NowMs, [1], 0, 1, out _);
        mesh.Drain(Leaf);
        mesh.Run(PollMs);
        mesh.Delivered.Clear();
        mesh.Completed.Clear();
        Send(mesh, 1, Leaf, 40);
        Send(mesh, 3, Leaf, 41);
        mesh.Run(300);
        Assert.Empty(mesh.Delivered);
        mesh.Run(3 * PollMs);
        Assert.Equal([40, 41], mesh.Delivered.Where(d => d.At == Leaf).Select(d => (int)d.Port).Order());
        Assert.Equal([true, true], mesh.Completed.Where(done => done.At != Leaf).Select(done => done.Success));
        Assert.Equal(0, mesh.Nodes[2].QueuedCount + mesh.Nodes[3].QueuedCount);
    }

    [Fact]
    public void Confirmed_messages_of_a_leaf_are_confirmed_well_before_its_next_regular_poll()
    {
        MiniMesh mesh = Started(config => config.PollIntervalMs = 60_000);
        mesh.Run(10_000);
        Send(mesh, Leaf, 1, 42);
        mesh.Run(5_000);
        Assert.Contains(mesh.Delivered, d => d.At == 1 && d.Port == 42);
        Assert.Contains(mesh.Completed, done => done.At == Leaf && done.Success);
        Assert.True(mesh.Nodes[Leaf].MaySleep);
    }

    [Fact]
    public void Leaf_finds_another_parent_in_the_wake_up_in_which_the_first_is_missed()
    {
        MiniMesh mesh = Started();
        int first = mesh.Nodes[Leaf].Parent;
        int second = OtherParent(mesh);
        mesh.Kill(first);
        mesh.Run(PollMs + 2_500);
        Assert.Equal(second, mesh.Nodes[Leaf].Parent);
        mesh.Run(PollMs);
        Assert.Equal(second, mesh.Nodes[1].GetNextHop(Leaf));
        Send(mesh, 1, Leaf, 43);
        mesh.Run(4 * PollMs);
        Assert.Contains(mesh.Delivered, d => d.At == Leaf && d.Port == 43);
    }

    [Fact]
    public void Old_parent_hands_its_mail_on_when_the_leaf_has_moved()
    {
        MiniMesh mesh = Started();
        int first = mesh.Nodes[Leaf].Parent;
        int second = OtherParent(mesh);
        mesh.Nodes[Leaf].SendReading(mesh.NowMs, [1], 0, 1, out _);
        mesh.Drain(Leaf);
        mesh.Run(PollMs);
        mesh.Cut(first, Leaf);
        Send(mesh, 1, Leaf, 44);
        mesh.Run((2 * PollMs) + 3_000);
        Assert.Equal(second, mesh.Nodes[Leaf].Parent);
        Assert.Equal((0, 1), (mesh.Nodes[first].ChildCount, mesh.Nodes[second].ChildCount));
        mesh.Run(2 * PollMs);
        Assert.Contains(mesh.Delivered, d => d.At == Leaf && d.Port == 44);
        Assert.Equal(0, mesh.Nodes[first].QueuedCount);
    }

    [Fact]
    public void Parent_gives_a_leaf_up_after_the_polls_it_promised_and_no_sooner()
    {
        MiniMesh mesh = Started(config => config.NeighborTimeoutMs = 8_000);
        int parent = mesh.Nodes[Leaf].Parent;
        mesh.Kill(Leaf);
        mesh.Run(4 * PollMs);
        Assert.Equal(1, mesh.Nodes[parent].ChildCount);
        mesh.Run((2 * PollMs) + 10_000);
        Assert.Equal(0, mesh.Nodes[parent].ChildCount);
        Assert.Equal(MeshAddress.None, mesh.Nodes[1].GetNextHop(Leaf));
    }

    [Fact]
    public void Mailbox_is_bounded_and_keeps_the_newest()
    {
        MiniMesh mesh = Started(config => config.MaxMailbox = 3);
        mesh.Nodes[Leaf].SendReading(mesh.NowMs, [1], 0, 1, out _);
        mesh.Drain(Leaf);
        mesh.Run(PollMs);
        int parent = mesh.Nodes[Leaf].Parent;
        mesh.Nodes[1].Send(mesh.NowMs, Leaf, 39, MeshClass.Normal, true, [0], 0, 1, out _);
        mesh.Run(2 * PollMs);
        mesh.Delivered.Clear();
        while (mesh.Nodes[Leaf].SleepUntilMs - mesh.NowMs < 1_000)
        {
            mesh.Run(100);
        }

        for (byte port = 50; port < 56; port++)
        {
            Send(mesh, 1, Leaf, port, confirmed: false);
            mesh.Run(100);
        }

        Assert.Equal(3, mesh.Nodes[parent].QueuedCount);
        Assert.Equal(3, mesh.Nodes[parent].Counters.DroppedMailbox);
        mesh.Run(PollMs + 1_000);
        Assert.Equal([53, 54, 55], mesh.Delivered.Where(d => d.At == Leaf).Select(d => (int)d.Port).Order());
    }

    [Fact]
    public void A_parent_with_all_its_places_taken_refuses_and_the_leaf_takes_another()
    {
        MiniMesh mesh = Started(config => config.MaxChildren = config.Address == 2 ? 0 : 8);
        Assert.Equal(3, mesh.Nodes[Leaf].Parent);
    }

    [Fact]
    public void A_leaf_alone_rests_longer_and_longer_and_joins_when_somebody_comes()
    {
        MiniMesh mesh = Started();
        mesh.Cut(2, Leaf);
        mesh.Cut(3, Leaf);
        mesh.Run(60_000);
        Assert.Equal(MeshAddress.None, mesh.Nodes[Leaf].Parent);
        int frames = mesh.Frames.Count(f => f.From == Leaf);
        mesh.Run(60_000);
        Assert.InRange(mesh.Frames.Count(f => f.From == Leaf) - frames, 5, 15);
        mesh.Link(3, Leaf);
        mesh.Run(2 * PollMs);
        Assert.Equal(3, mesh.Nodes[Leaf].Parent);
    }

    [Fact]
    public void A_recorded_poll_makes_no_child_of_a_node_that_is_not_there()
    {
        MiniMesh mesh = Started();
        int other = OtherParent(mesh);
        byte[] poll = mesh.Frames.Last(f => f.From == Leaf && FrameFormat.GetType(f.Frame[0]) == FrameFormat.TypePoll).Frame;
        Assert.Equal(ParseError.NotForMe, mesh.Nodes[other].HandleFrame(mesh.NowMs, poll, 0, poll.Length, -60));
        int parent = mesh.Nodes[Leaf].Parent;
        Assert.Equal(ParseError.Replayed, mesh.Nodes[parent].HandleFrame(mesh.NowMs, poll, 0, poll.Length, -60));
        mesh.Kill(Leaf);
        mesh.Kill(parent);
        MeshNode again = mesh.Start(parent);
        mesh.Run(100);
        Assert.Equal(ParseError.None, again.HandleFrame(mesh.NowMs, poll, 0, poll.Length, -60));
        mesh.Drain(parent);
        mesh.Run(3_000);
        Assert.Equal(MeshAddress.None, again.GetNextHop(Leaf));
        Assert.Equal(MeshAddress.None, mesh.Nodes[1].GetNextHop(Leaf));
    }

    [Fact]
    public void Leaves_with_the_time_wake_in_slots_and_groups_together()
    {
        Assert.Equal(0, SleepyLeaf.PhaseMs(7, 0, 10, 25));
        long[] spread = [.. Enumerable.Range(1, 40).Select(address => SleepyLeaf.PhaseMs((ushort)address, 0, 60_000, 25))];
        Assert.Equal(spread.Length, spread.Distinct().Count());
        Assert.All(spread, phase => Assert.InRange(phase, 0, 59_975));
        Assert.True(spread.Order().Zip(spread.Order().Skip(1), (a, b) => b - a).Min() >= 500);
        long[] group = [.. Enumerable.Range(1, 8).Select(address => SleepyLeaf.PhaseMs((ushort)address, 3, 60_000, 25))];
        Assert.Equal(8, group.Distinct().Count());
        Assert.True(group.Max() - group.Min() <= 7 * 25);

        MiniMesh mesh = Started();
        for (int i = 0; i < 100; i++)
        {
            mesh.Nodes[1].SetTime(mesh.NowMs, 1_780_000_000_000 + mesh.NowMs);
            mesh.Run(10_000);
        }

        MeshNode leaf = mesh.Nodes[Leaf];
        Assert.True(leaf.TimeKnown && leaf.MaySleep);
        long phaseMs = (leaf.UtcMs(leaf.SleepUntilMs) - SleepyLeaf.PhaseMs(Leaf, 0, PollMs, 25) + PollMs) % PollMs;
        Assert.True(phaseMs < 25 || phaseMs > PollMs - 25, $"{phaseMs} ms after its slot began");
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void Readings_and_commands_of_a_leaf_survive_a_lossy_link(int seed)
    {
        MiniMesh mesh = Started(seed: seed);
        mesh.Loss = 0.3;
        for (int i = 0; i < 20; i++)
        {
            mesh.Nodes[Leaf].SendReading(mesh.NowMs, [(byte)i], 0, 1, out _);
            mesh.Drain(Leaf);
            Send(mesh, 1, Leaf, (byte)(60 + i));
            mesh.Run(20_000);
        }

        mesh.Loss = 0;
        mesh.Run(60_000);
        Assert.Equal(20, mesh.Delivered.Count(d => d.At == 1 && d.Seq != 0));
        Assert.InRange(mesh.Delivered.Count(d => d.At == Leaf), 19, 20);
    }
}
