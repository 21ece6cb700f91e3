using IoTMesh.Core;

namespace IoTMesh.Core.Tests.Nodes;

/// <summary>protocol.md 7.4.</summary>
public class DiagnosticsTests
{
    private static MiniMesh Line(int count)
    {
        var mesh = new MiniMesh();
        mesh.Line(count);
        mesh.Run(10_000);
        return mesh;
    }

    private static bool Ask(MiniMesh mesh, int from, Func<MeshNode, (SendResult Result, int Token)> ask, int runMs = 12_000)
    {
        (SendResult result, int token) = ask(mesh.Nodes[from]);
        Assert.Equal(SendResult.Accepted, result);
        mesh.Drain(from);
        mesh.Run(runMs);
        return Assert.Single(mesh.Completed, c => c.At == from && c.Token == token).Success;
    }

    private static (SendResult, int) Ping(MiniMesh mesh, MeshNode node, ushort to) => (node.Ping(mesh.NowMs, to, out int token), token);

    private static (SendResult, int) Trace(MiniMesh mesh, MeshNode node, ushort to) => (node.Trace(mesh.NowMs, to, out int token), token);

    [Theory]
    [InlineData(1, 6)]
    [InlineData(6, 1)]
    [InlineData(2, 5)]
    [InlineData(4, 3)]
    public void A_ping_tells_round_trip_and_hops_between_any_two_nodes(int from, int to)
    {
        MiniMesh mesh = Line(6);
        Assert.True(Ask(mesh, from, node => Ping(mesh, node, (ushort)to)));
        int hops = Math.Abs(from - to);
        var answer = Assert.Single(mesh.Answers);
        Assert.Equal((to, hops), (answer.Origin, answer.Hops));
        Assert.InRange(answer.RoundTripMs, 4 * hops, 40 * hops);
    }

    [Theory]
    [InlineData(1, 6)]
    [InlineData(6, 2)]
    public void A_trace_names_each_hop_with_its_link_without_a_gateway_as_well(int from, int to)
    {
        MiniMesh mesh = Line(6);
        if (from != 1)
        {
            mesh.Kill(1);
            mesh.Run(30_000);
        }

        int[] peersBefore = [.. mesh.Nodes.Select(n => n.Value.PeerCount)];
        Assert.True(Ask(mesh, from, node => Trace(mesh, node, (ushort)to)));
        int step = Math.Sign(to - from);
        int[] hops = [.. Enumerable.Range(1, Math.Abs(to - from)).Select(i => from + (i * step))];
        Assert.Equal(hops, mesh.Answers.Select(a => (int)a.Origin));
        Assert.Equal(Enumerable.Range(1, hops.Length), mesh.Answers.Select(a => a.Hops));
        foreach ((ushort origin, int hop, int roundTripMs, byte[] bytes) in mesh.Answers)
        {
            TraceAnswer answer = Diagnosis.ReadTrace(bytes, bytes.Length);
            Assert.Equal((origin - step, origin == to, (sbyte)-60), (answer.Previous, answer.IsDestination, answer.RssiDbm));
            Assert.Equal(origin == to ? 0 : origin + step, answer.NextHop);
            Assert.InRange(answer.LinkCost, 64, 128);
            Assert.InRange(roundTripMs, 4 * hop, 60 * hop);
        }

        // Hops are no peers for ever: only the two ends have learned each other.
        Assert.InRange(mesh.Nodes.Select((n, i) => n.Value.PeerCount - peersBefore[i]).Sum(), 0, 2);
    }

    [Fact]
    public void A_trace_over_lossy_links_still_names_every_hop()
    {
        MiniMesh mesh = Line(6);
        mesh.Loss = 0.15;
        Assert.True(Ask(mesh, 6, node => Trace(mesh, node, 1), 30_000));
        Assert.Equal([5, 4, 3, 2, 1], mesh.Answers.Select(a => (int)a.Origin).Distinct());
    }

    [Fact]
    public void Where_the_path_ends_a_trace_ends_without_success()
    {
        MiniMesh mesh = Line(5);
        mesh.Cut(4, 5);
        Assert.False(Ask(mesh, 1, node => Trace(mesh, node, 5), 30_000));
        Assert.Equal([2, 3, 4], mesh.Answers.Select(a => (int)a.Origin).Take(3));
        mesh.Run(30_000);
        Assert.False(Ask(mesh, 1, node => Ping(mesh, node, 5), 30_000));
    }

    [Fact]
    public void A_nodes_tables_come_in_parts_and_equal_its_own()
    {
        MiniMesh mesh = Line(30);
        mesh.Run(20_000);
        Assert.True(Ask(mesh, 4, node => (node.RequestTable(mesh.NowMs, 2, DiagnosticTable.Routes, out int token), token)));
        List<int[]> routes = [.. mesh.Answers.SelectMany(a => Diagnosis.ReadTable(a.Bytes, a.Bytes.Length).Rows)];
        Assert.True(mesh.Answers.Count > 1, "one part: the test shows nothing");
        MeshNode asked = mesh.Nodes[2];
        Assert.Equal(asked.RouteCount, routes.Count);
        var route = new RouteInfo();
        for (int i = 0; i < routes.Count; i++)
        {
            asked.GetRoute(i, route);
            Assert.Equal([route.Destination, route.NextHop, route.Metric, route.SeqNo, route.IsGateway ? 1 : 0, route.Feasible], routes[i]);
        }

        mesh.Answers.Clear();
        Assert.True(Ask(mesh, 4, node => (node.RequestTable(mesh.NowMs, 2, DiagnosticTable.Neighbors, out int token), token)));
        Assert.Equal([1, 3], Diagnosis.ReadTable(mesh.Answers[0].Bytes, mesh.Answers[0].Bytes.Length).Rows.Select(r => r[0]).Order());
        mesh.Answers.Clear();
        Assert.True(Ask(mesh, 4, node => (node.RequestTable(mesh.NowMs, 2, DiagnosticTable.Counters, out int token), token)));
        List<int[]> counters = Diagnosis.ReadTable(mesh.Answers[0].Bytes, mesh.Answers[0].Bytes.Length).Rows;
        Assert.Equal(Diagnosis.CounterNames.Length, counters.Count);
        int sent = counters[Array.IndexOf(Diagnosis.CounterNames, "framesSent")][0];
        Assert.InRange(sent, 10, asked.Counters.FramesSent);
    }

    [Fact]
    public void Questions_are_refused_clearly_and_one_runs_at_a_time()
    {
        MiniMesh mesh = Line(3);
        MeshNode node = mesh.Nodes[1];
        Assert.Equal(SendResult.InvalidDestination, node.Ping(mesh.NowMs, 1, out _));
        Assert.Equal(SendResult.InvalidDestination, node.Trace(mesh.NowMs, MeshAddress.AnyGateway, out _));
        Assert.Equal(SendResult.Accepted, node.Ping(mesh.NowMs, 3, out _));
        Assert.Equal(SendResult.QueueFull, node.Trace(mesh.NowMs, 2, out _));
        mesh.Drain(1);
        mesh.Run(10_000);
        Assert.Equal(SendResult.Accepted, node.Ping(mesh.NowMs, 99, out int token));
        mesh.Drain(1);
        mesh.Run(20_000);
        Assert.False(Assert.Single(mesh.Completed, c => c.Token == token).Success);
        Assert.Equal(SendResult.Accepted, node.RequestTable(mesh.NowMs, 2, 77, out token));
        mesh.Drain(1);
        mesh.Run(20_000);
        Assert.False(Assert.Single(mesh.Completed, c => c.Token == token).Success);
    }

    [Fact]
    public void A_node_flooded_with_questions_answers_ten_a_second_at_most()
    {
        MiniMesh mesh = Line(3);
        Assert.True(Ask(mesh, 1, node => Ping(mesh, node, 2)));
        long before = mesh.Nodes[2].Counters.Originated;
        for (int i = 0; i < 200; i++)
        {
            // Each restarts the one question under way, as an insider may.
            mesh.Nodes[1].ForgetDiagnosis();
            mesh.Nodes[1].Ping(mesh.NowMs, 2, out _);
            mesh.Drain(1);
            mesh.Run(10);
        }

        Assert.InRange(mesh.Nodes[2].Counters.Originated - before, 5, 25);
    }
}
