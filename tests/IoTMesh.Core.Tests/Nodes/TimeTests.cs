using IoTMesh.Core;

namespace IoTMesh.Core.Tests.Nodes;

/// <summary>Mesh time from gateways to nodes. protocol.md 5.8.</summary>
public class TimeTests
{
    private const long Utc = 1_780_000_000_000;

    private static void Tell(MiniMesh mesh, int gateway, long seconds, long utcMs = Utc)
    {
        for (long i = 0; i < seconds; i += 10)
        {
            mesh.Nodes[gateway].SetTime(mesh.NowMs, utcMs + mesh.NowMs);
            mesh.Run(10_000);
        }
    }

    [Fact]
    public void Time_reaches_the_end_of_a_line_and_is_kept_without_the_gateway()
    {
        var mesh = new MiniMesh { Configure = config => config.LinkLatencyUs = 2_000 - 536 - 500 };
        mesh.Line(5);
        Assert.False(mesh.Nodes[5].TimeKnown);
        Assert.Equal(int.MaxValue, mesh.Nodes[5].TimeErrorMs(mesh.NowMs));
        Tell(mesh, 1, 600);
        MeshNode last = mesh.Nodes[5];
        Assert.True(last.TimeKnown);
        Assert.Equal(4, last.TimeHops);
        Assert.InRange(last.UtcMs(mesh.NowMs) - Utc - mesh.NowMs, -4, 4);
        int errorMs = last.TimeErrorMs(mesh.NowMs);
        mesh.Kill(1);
        mesh.Run(3_600_000);
        Assert.InRange(last.UtcMs(mesh.NowMs) - Utc - mesh.NowMs, -40, 40);
        Assert.True(last.TimeErrorMs(mesh.NowMs) > errorMs);
    }

    [Fact]
    public void Two_gateways_that_disagree_do_not_make_time_jump()
    {
        var mesh = new MiniMesh();
        mesh.Line(4);
        mesh.Start(5, true);
        mesh.Link(4, 5);
        long[] before = new long[5];
        for (int i = 0; i < 3_000; i++)
        {
            if (i % 10 == 0)
            {
                mesh.Nodes[1].SetTime(mesh.NowMs, Utc + mesh.NowMs);
                mesh.Nodes[5].SetTime(mesh.NowMs, Utc + mesh.NowMs + 400);
            }

            mesh.Run(1_000);
            for (int n = 2; n <= 4; n++)
            {
                if (mesh.Nodes[n].TimeKnown)
                {
                    long offset = mesh.Nodes[n].UtcMs(mesh.NowMs) - mesh.NowMs;
                    Assert.True(before[n] == 0 || Math.Abs(offset - before[n]) <= 6, $"node {n} jumped by {offset - before[n]} ms after {i} s");
                    before[n] = offset;
                }
            }
        }

        Assert.InRange(before[2] - Utc, -10, 10);
    }

    [Fact]
    public void An_unverified_sender_does_not_set_the_clock()
    {
        var mesh = new MiniMesh();
        mesh.Start(1, true);
        mesh.Start(2);
        mesh.Link(1, 2);

        // Node 1 is heard but never answers: as a recording would.
        mesh.Intercept = (from, frame) => from == 2 || FrameFormat.GetType(frame[0]) == FrameFormat.TypeProbeReply;
        Tell(mesh, 1, 100);
        Assert.True(mesh.Nodes[1].TimeKnown);
        Assert.Equal(1, mesh.Nodes[2].NeighborCount);
        Assert.False(mesh.Nodes[2].TimeKnown);
        mesh.Intercept = null;
        Tell(mesh, 1, 100);
        Assert.True(mesh.Nodes[2].TimeKnown);
    }

    [Fact]
    public void Nodes_without_a_gateway_do_not_keep_their_time_young_among_themselves()
    {
        var mesh = new MiniMesh();
        mesh.Line(4);
        mesh.Link(2, 4);
        Tell(mesh, 1, 300);
        mesh.Kill(1);
        mesh.Run(1_000_000);
        int first = mesh.Nodes[3].TimeErrorMs(mesh.NowMs);
        mesh.Run(10_000_000);
        Assert.True(mesh.Nodes[3].TimeErrorMs(mesh.NowMs) > first * 3);
    }
}
