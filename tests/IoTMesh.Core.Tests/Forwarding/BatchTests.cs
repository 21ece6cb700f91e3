using IoTMesh.Core;

namespace IoTMesh.Core.Tests.Forwarding;

/// <summary>protocol.md 4.4 and 6.6: readings and datagrams of one origin under one tag, and bulk messages that wait for company.</summary>
public class BatchTests
{
    private static int DataFrames(MiniMesh mesh, int from)
    {
        return mesh.Frames.Count(f => f.From == from && FrameFormat.GetType(f.Frame[0]) == FrameFormat.TypeData);
    }

    private static MiniMesh Line(int nodes, int seed = 1)
    {
        var mesh = new MiniMesh(seed);
        mesh.Line(nodes);
        mesh.Run(8_000);
        mesh.Frames.Clear();
        return mesh;
    }

    private static int SendBulk(MiniMesh mesh, int from, byte port, params byte[] payload)
    {
        SendResult taken = mesh.Nodes[from].Send(
            mesh.NowMs, MeshAddress.AnyGateway, port, MeshClass.Bulk, false, payload, 0, payload.Length, out int token);
        Assert.Equal(SendResult.Accepted, taken);
        return token;
    }

    [Theory]
    [InlineData("8203 010203 05 040506", true, 2)]
    [InlineData("02 03010203 05 01ff", true, 2)]
    [InlineData("02 01aa 8510 01bb", true, 2)] // a long step
    [InlineData("c2 02 28 0102 0304", false, 2)]
    [InlineData("02 0228 0102 0029", false, 2)]
    [InlineData("00", true, 0)] // none
    [InlineData("8203 010203 05 0405", true, 0)] // cut
    [InlineData("8203 010203 05 040506 07", true, 0)] // too long
    [InlineData("82", true, 0)]
    [InlineData("02 01aa 85", true, 0)] // half a step
    [InlineData("c2 02", false, 0)]
    [InlineData("02 02", false, 0)]
    public void Items_are_walked_only_where_all_of_them_are_there(string hex, bool readings, int count)
    {
        byte[] bytes = Convert.FromHexString("ff" + hex.Replace(" ", "", StringComparison.Ordinal));
        var view = new BatchView();
        Assert.Equal(count > 0, view.Begin(bytes, 1, bytes.Length, readings));
        for (int i = 0; i < count; i++)
        {
            Assert.True(view.Next());
            Assert.InRange(view.ItemOffset + view.ItemLength, 2, bytes.Length);
        }

        Assert.True(count == 0 || !view.Next());
    }

    [Fact]
    public void Random_bytes_never_lead_out_of_the_buffer()
    {
        var random = new Random(5);
        var view = new BatchView();
        int whole = 0;
        for (int round = 0; round < 50_000; round++)
        {
            byte[] bytes = new byte[random.Next(0, 12)];
            random.NextBytes(bytes);
            for (int i = 0; i < bytes.Length; i++)
            {
                bytes[i] = random.Next(3) == 0 ? bytes[i] : (byte)(bytes[i] & 0xC3);
            }

            bool readings = round % 2 == 0;
            if (view.Begin(bytes, 0, bytes.Length, readings))
            {
                whole++;
                while (view.Next())
                {
                    Assert.InRange(view.ItemOffset + view.ItemLength, 0, bytes.Length);
                }
            }
        }

        Assert.InRange(whole, 10, 40_000);
    }

    [Fact]
    public void Readings_that_waited_for_a_gateway_share_messages_and_keep_their_numbers_and_order()
    {
        var mesh = new MiniMesh();
        mesh.Start(2);
        mesh.Start(3);
        mesh.Link(2, 3);
        mesh.Run(5_000);
        for (int i = 0; i < 20; i++)
        {
            mesh.Nodes[3].SendReading(mesh.NowMs, i % 3 == 0 ? [(byte)i] : [(byte)i, 7], 0, i % 3 == 0 ? 1 : 2, out _);
            mesh.Run(100);
        }

        mesh.Start(1, true);
        mesh.Link(1, 2);
        mesh.Frames.Clear();
        mesh.Run(60_000);
        Assert.Equal(Enumerable.Range(0, 20), mesh.Delivered.Select(d => (int)d.Payload[0]));
        Assert.Equal(Enumerable.Range(1, 20), mesh.Delivered.Select(d => (int)d.Seq));
        Assert.Equal(0, mesh.Nodes[3].CustodyCount);
        Assert.InRange(DataFrames(mesh, 3), 1, 5);
    }

    [Fact]
    public void A_batch_that_comes_again_in_other_company_delivers_only_what_is_new()
    {
        // The gateway commits nothing, so everything is sent again after a while, in other batches.
        MiniMesh mesh = Line(3, 4);
        mesh.Loss = 0.2;
        for (int i = 0; i < 40; i++)
        {
            mesh.Nodes[3].SendReading(mesh.NowMs, MeshClass.Bulk, [(byte)i], 0, 1, out _);
            mesh.Run(170);
        }

        mesh.Run(90_000);
        Assert.Equal(Enumerable.Range(0, 40), mesh.Delivered.Select(d => (int)d.Payload[0]).Order());
        Assert.Equal(0, mesh.Nodes[3].CustodyCount);
    }

    [Fact]
    public void Bulk_datagrams_wait_for_each_other_and_each_is_completed()
    {
        MiniMesh mesh = Line(3);
        int[] tokens = [SendBulk(mesh, 3, 40, 1), SendBulk(mesh, 3, 41, 2, 3), SendBulk(mesh, 3, 40, 4)];
        mesh.Run(900);
        Assert.Equal((0, 0), (DataFrames(mesh, 3), mesh.Delivered.Count));
        mesh.Run(2_500);
        Assert.Equal((1, 1), (DataFrames(mesh, 3), DataFrames(mesh, 2)));
        Assert.Equal([(40, "01"), (41, "0203"), (40, "04")], mesh.Delivered.Select(d => ((int)d.Port, Convert.ToHexString(d.Payload))));
        Assert.Equal(tokens.Select(t => (3, t, true)), mesh.Completed);
    }

    [Fact]
    public void Half_of_the_pending_table_is_enough_to_start_a_batch_at_once()
    {
        MiniMesh mesh = Line(2);
        for (byte i = 0; i < 4; i++)
        {
            SendBulk(mesh, 2, 40, i, 0, 0, 0);
        }

        mesh.Run(50);
        Assert.Equal((4, 1), (mesh.Delivered.Count, DataFrames(mesh, 2)));
    }

    [Fact]
    public void A_relay_merges_bulk_of_several_origins_and_normal_does_not_wait()
    {
        MiniMesh mesh = new();
        foreach (int node in new[] { 1, 2, 3, 4, 5 })
        {
            mesh.Start(node, node == 1);
        }

        mesh.Link(1, 2);
        foreach (int leaf in new[] { 3, 4, 5 })
        {
            mesh.Link(2, leaf);
        }

        mesh.Run(10_000);
        mesh.Frames.Clear();
        foreach (int leaf in new[] { 3, 4, 5 })
        {
            SendBulk(mesh, leaf, 40, (byte)leaf);
            mesh.Run(30);
        }

        mesh.Nodes[3].Send(mesh.NowMs, MeshAddress.AnyGateway, 40, MeshClass.Normal, false, [99], 0, 1, out _);
        mesh.Run(50);
        Assert.Equal(99, Assert.Single(mesh.Delivered).Payload[0]);
        mesh.Run(3_000);
        Assert.Equal([3, 4, 5, 99], mesh.Delivered.Select(d => (int)d.Payload[0]).Order());
        Assert.Equal(2, DataFrames(mesh, 2));
    }

    [Fact]
    public void Without_a_hold_time_bulk_goes_at_once()
    {
        var mesh = new MiniMesh { Configure = config => config.AggregateMs = 0 };
        mesh.Line(3);
        mesh.Run(8_000);
        SendBulk(mesh, 3, 40, 1);
        mesh.Run(50);
        Assert.Single(mesh.Delivered);
    }
}
