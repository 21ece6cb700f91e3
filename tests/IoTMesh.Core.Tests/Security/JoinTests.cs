namespace IoTMesh.Core.Tests.Security;

/// <summary>protocol.md 8.7: membership is asked for over any member and given by a gateway.</summary>
public class JoinTests
{
    private static MiniMesh Create(double loss = 0, int seed = 1, params int[] keyless)
    {
        return new MiniMesh(seed)
        {
            Loss = loss,
            ConfigureKeys = (address, keys) =>
            {
                if (keyless.Contains(address))
                {
                    keys.NetworkKey = null;
                }
            },
        };
    }

    /// <summary>What the gateway sent to a device that joins.</summary>
    private static bool IsAnswer((int From, byte[] Frame) f)
    {
        return f.From == 1 && FrameFormat.GetType(f.Frame[0]) == FrameFormat.TypeJoin && (f.Frame[0] & 3) == JoinFormat.StepDown;
    }

    [Fact]
    public void A_device_next_to_a_gateway_joins_and_its_reading_arrives()
    {
        MiniMesh mesh = Create(keyless: 2);
        mesh.Line(2);
        mesh.Run(1_000);
        Assert.True(mesh.Nodes[2].IsJoined);
        Assert.Contains((1, (ushort)2, JoinVerdict.Accepted, (ushort)1), mesh.Joins);
        mesh.Nodes[2].SendReading(mesh.NowMs, [7], 0, 1, out _);
        mesh.Drain(2);
        mesh.Run(1_000);
        Assert.Contains(mesh.Delivered, d => d.At == 1 && d.Origin == 2);
    }

    [Fact]
    public void A_whole_line_joins_hop_by_hop()
    {
        MiniMesh mesh = Create(keyless: [2, 3, 4, 5, 6]);
        mesh.Line(6);
        mesh.Run(10_000);
        Assert.All(mesh.Nodes.Values, node => Assert.True(node.IsJoined));
        Assert.Contains(mesh.Joins, join => join.At == 1 && join is { Device: 6, Verdict: JoinVerdict.Accepted } && join.Proxy == 5);
    }

    [Fact]
    public void A_device_joins_within_three_seconds_at_five_hops_and_ten_percent_loss()
    {
        for (int seed = 1; seed <= 20; seed++)
        {
            MiniMesh mesh = Create(loss: 0.1, seed: seed, 6);
            mesh.Line(5);
            mesh.Run(20_000);
            mesh.Link(5, 6);
            mesh.Start(6);
            mesh.Run(3_000);
            Assert.True(mesh.Nodes[6].IsJoined, $"seed {seed}");
        }
    }

    [Theory]
    [InlineData(JoinVerdict.Revoked)]
    [InlineData(JoinVerdict.Closed)]
    public void A_refused_device_stays_out_and_knows_why(JoinVerdict verdict)
    {
        MiniMesh mesh = Create(keyless: 2);
        mesh.Verdicts[2] = verdict;
        mesh.Line(2);
        mesh.Run(5_000);
        Assert.False(mesh.Nodes[2].IsJoined);
        Assert.Equal(verdict, mesh.Nodes[2].LastJoinVerdict);
        Assert.Contains((1, (ushort)2, verdict, (ushort)1), mesh.Joins);
    }

    [Fact]
    public void A_device_with_a_wrong_key_gets_no_answer()
    {
        var mesh = new MiniMesh
        {
            ConfigureKeys = (address, keys) =>
            {
                if (address == 2)
                {
                    keys.NetworkKey = null;
                    keys.DeviceKey = new byte[16];
                }
            },
        };
        mesh.Line(2);
        mesh.Run(5_000);
        Assert.False(mesh.Nodes[2].IsJoined);
        Assert.Contains(mesh.Joins, join => join.Verdict == JoinVerdict.BadProof);
        Assert.DoesNotContain(mesh.Frames, IsAnswer);
    }

    [Fact]
    public void A_sleepy_leaf_joins_and_then_sleeps()
    {
        var mesh = new MiniMesh
        {
            Configure = config => config.IsSleepyLeaf = config.Address == 3,
            ConfigureKeys = (address, keys) => keys.NetworkKey = address == 3 ? null : keys.NetworkKey,
        };
        mesh.Line(3);
        mesh.Run(15_000);
        Assert.True(mesh.Nodes[3].IsJoined);
        Assert.Equal(2, mesh.Nodes[3].Parent);
        Assert.True(mesh.Nodes[3].MaySleep);
    }

    [Fact]
    public void A_gateway_that_is_none_cannot_admit_a_device()
    {
        // It has the hop key of its own network, but no device keys.
        MiniMesh mesh = Create(keyless: 3);
        mesh.Start(2);
        mesh.Start(3);
        mesh.Link(2, 3);
        mesh.Run(10_000);
        Assert.False(mesh.Nodes[3].IsJoined);
    }

    [Fact]
    public void A_recording_of_an_exchange_admits_nobody_again()
    {
        MiniMesh mesh = Create(keyless: 2);
        mesh.Line(2);
        mesh.Run(2_000);
        byte[] admit = mesh.Frames.Last(IsAnswer).Frame;

        // The device starts anew with nothing stored but its counters: the old answer must not give it a key.
        mesh.Logs.Clear();
        mesh.Cut(1, 2);
        MeshNode again = mesh.Reboot(2);
        mesh.Run(1_000);
        again.HandleFrame(mesh.NowMs, admit, 0, admit.Length, -60);
        Assert.False(again.IsJoined);
    }

    [Fact]
    public void A_node_that_restarts_resumes_without_joining()
    {
        MiniMesh mesh = Create(keyless: 2);
        mesh.Line(2);
        mesh.Run(2_000);
        int joins = mesh.Joins.Count;
        mesh.Reboot(2);
        Assert.True(mesh.Nodes[2].IsJoined);
        mesh.Run(5_000);
        Assert.Equal(joins, mesh.Joins.Count);
        Assert.Equal(1, mesh.Nodes[2].GetNextHop(MeshAddress.AnyGateway));
    }

    [Fact]
    public void A_device_whose_counters_went_back_is_refused()
    {
        MiniMesh mesh = Create(keyless: 2);
        mesh.Line(2);
        mesh.Run(2_000);
        mesh.Nodes[2].SendReading(mesh.NowMs, [7], 0, 1, out _);
        mesh.Drain(2);
        mesh.Run(1_000);

        // Its flash was erased, but for the settings.
        mesh.Stored.Remove(2);
        mesh.Logs.Clear();
        mesh.Reboot(2);
        mesh.Run(5_000);
        Assert.False(mesh.Nodes[2].IsJoined);
        Assert.Equal(JoinVerdict.CountersLost, mesh.Nodes[2].LastJoinVerdict);
    }

    [Fact]
    public void A_flood_of_requests_passes_on_no_more_than_the_bucket_holds()
    {
        MiniMesh mesh = Create();
        mesh.Line(2);
        mesh.Run(3_000);
        byte[] frame = new byte[JoinFormat.HeaderLength + JoinFormat.AskLength];
        frame[0] = FrameFormat.MakeKind(FrameFormat.TypeJoin, JoinFormat.StepUp);
        Bytes.PutU16(frame, 4, 2);
        frame[JoinFormat.HeaderLength] = JoinFormat.Ask;
        int before = mesh.Joins.Count;
        for (int i = 0; i < 1_000; i++)
        {
            Bytes.PutU16(frame, 2, (ushort)(100 + i));
            Bytes.PutU16(frame, JoinFormat.HeaderLength + JoinFormat.OffsetDevice, (ushort)(100 + i));
            mesh.Nodes[2].HandleFrame(mesh.NowMs, frame, 0, frame.Length, -60);
            mesh.Drain(2);
            mesh.Run(1);
        }

        int passed = mesh.Joins.Count - before;
        Assert.InRange(passed, 1, mesh.Nodes[2].Config.JoinBurst + (1_100 / mesh.Nodes[2].Config.JoinIntervalMs) + 1);
    }
}
