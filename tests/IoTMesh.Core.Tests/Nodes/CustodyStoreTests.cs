using IoTMesh.Core;

namespace IoTMesh.Core.Tests.Nodes;

/// <summary>protocol.md 9.2: custody that survives a power cut.</summary>
public class CustodyStoreTests
{
    private static MiniMesh Line(int count = 3)
    {
        var mesh = new MiniMesh { Configure = config => config.StoreCustody = !config.IsGateway };
        mesh.Line(count);
        mesh.Run(8_000);
        return mesh;
    }

    private static void Send(MiniMesh mesh, int from, byte value)
    {
        Assert.Equal(SendResult.Accepted, mesh.Nodes[from].SendReading(mesh.NowMs, [value], 0, 1, out _));
        mesh.Drain(from);
    }

    private static byte[] Log(MiniMesh mesh, int node, int log = 0) => mesh.Logs[(node, (byte)(StoreRecord.Custody + log))];

    [Fact]
    public void Nothing_is_written_while_a_gateway_commits_in_time()
    {
        MiniMesh mesh = Line();
        for (int i = 0; i < 60; i++)
        {
            Send(mesh, 3, (byte)i);
            mesh.Run(10_000);
        }

        Assert.Equal((60, 0L), (mesh.Delivered.Count, mesh.Nodes[3].Counters.CustodyWrites));
    }

    [Fact]
    public void While_the_gateway_is_away_readings_are_written_together_every_half_minute_and_the_end_once()
    {
        MiniMesh mesh = Line();
        mesh.Cut(1, 2);
        for (int i = 0; i < 360; i++)
        {
            Send(mesh, 3, (byte)i);
            mesh.Run(10_000);
        }

        Assert.InRange(mesh.Nodes[3].Counters.CustodyWrites, 60, 140);
        mesh.Link(1, 2);
        mesh.Run(120_000);
        long writes = mesh.Nodes[3].Counters.CustodyWrites;
        Assert.Equal((360, 0), (mesh.Delivered.Count, mesh.Nodes[3].CustodyCount));
        mesh.Run(600_000);
        Assert.Equal(writes, mesh.Nodes[3].Counters.CustodyWrites);
        mesh.Kill(3);
        Assert.Equal(0, mesh.Reboot(3).CustodyCount);
    }

    [Fact]
    public void Stored_readings_of_several_boots_arrive_once_under_their_own_boot_and_time()
    {
        MiniMesh mesh = Line();
        mesh.Cut(1, 2);
        long startedMs = 1_000;
        for (int boot = 1; boot <= 4; boot++)
        {
            for (int i = 0; i < 5; i++)
            {
                Send(mesh, 3, (byte)((boot * 10) + i));
                mesh.Times.Add((mesh.NowMs - startedMs, (byte)((boot * 10) + i)));
                mesh.Run(7_000);
            }

            mesh.Run(40_000);
            mesh.Kill(3);
            mesh.Run(20_000);
            mesh.Reboot(3);
            startedMs = mesh.NowMs;
        }

        (long, byte)[] made = [.. mesh.Times];
        mesh.Times.Clear();
        mesh.Run(10_000);
        Assert.Equal(20, mesh.Nodes[3].CustodyCount);
        Send(mesh, 3, 99);
        mesh.Link(1, 2);
        mesh.Run(120_000);
        Assert.Equal(21, mesh.Delivered.Count);
        foreach ((long measuredMs, byte value) in made)
        {
            Assert.InRange(Assert.Single(mesh.Times, t => t.Value == value).MeasuredMs, measuredMs - 16, measuredMs);
            Assert.Equal(value / 10, Assert.Single(mesh.Delivered, d => d.Payload[0] == value).Boot);
        }

        Assert.Equal(0, mesh.Nodes[3].CustodyCount);
    }

    [Fact]
    public void A_power_cut_at_every_byte_of_every_write_loses_only_what_that_write_held()
    {
        MiniMesh mesh = Line();
        mesh.Cut(1, 2);
        for (int i = 0; i < 12; i++)
        {
            Send(mesh, 3, (byte)i);
            mesh.Run(20_000);
        }

        mesh.Run(60_000);
        byte[] whole = Log(mesh, 3);
        mesh.Kill(3);
        int before = 0;
        for (int length = 0; length <= whole.Length; length++)
        {
            mesh.Logs[(3, StoreRecord.Custody)] = whole[..length];
            int held = mesh.Reboot(3).CustodyCount;
            Assert.InRange(held, before, 12);
            before = held;

            // What is written behind a torn chunk is read as well.
            mesh.Logs[(3, StoreRecord.Custody)] = [.. whole[..length], .. whole];
            Assert.Equal(12, mesh.Reboot(3).CustodyCount);
        }

        Assert.Equal(12, before);
    }

    [Fact]
    public void Any_flipped_bit_costs_at_most_its_chunk_and_never_throws()
    {
        MiniMesh mesh = Line();
        mesh.Cut(1, 2);
        for (int i = 0; i < 8; i++)
        {
            Send(mesh, 3, (byte)i);
            mesh.Run(40_000);
        }

        byte[] whole = Log(mesh, 3);
        for (int bit = 0; bit < whole.Length * 8; bit += 29)
        {
            byte[] broken = [.. whole];
            broken[bit / 8] ^= (byte)(1 << (bit % 8));
            mesh.Logs[(3, StoreRecord.Custody)] = broken;
            Assert.InRange(mesh.Reboot(3).CustodyCount, 1, 8);
        }

        var random = new Random(5);
        byte[] noise = new byte[CustodyLog.MaxLength];
        for (int i = 0; i < 4; i++)
        {
            random.NextBytes(noise);
            mesh.Logs[(3, StoreRecord.Custody)] = noise;
            Assert.Equal(0, mesh.Reboot(3).CustodyCount);
        }
    }

    [Fact]
    public void A_write_that_fails_is_made_good_later()
    {
        MiniMesh mesh = Line();
        mesh.Cut(1, 2);
        mesh.StoreWorks = false;
        Send(mesh, 3, 1);
        mesh.Run(60_000);
        Assert.Empty(mesh.Logs);
        mesh.StoreWorks = true;
        Send(mesh, 3, 2);
        mesh.Run(60_000);
        mesh.Kill(3);
        Assert.Equal(2, mesh.Reboot(3).CustodyCount);
    }

    [Fact]
    public void The_logs_are_bounded_and_the_newest_readings_survive()
    {
        MiniMesh mesh = Line();
        mesh.Cut(1, 2);
        for (int i = 0; i < 900; i++)
        {
            Assert.Equal(SendResult.Accepted, mesh.Nodes[3].SendReading(mesh.NowMs, new byte[60], 0, 60, out _));
            mesh.Drain(3);
            mesh.Run(10_000);
        }

        mesh.Run(60_000);
        int held = mesh.Nodes[3].CustodyCount;
        Assert.Equal(900, held + mesh.Nodes[3].Counters.CustodyEvicted);
        Assert.All(mesh.Logs.Values, log => Assert.InRange(log.Length, 0, CustodyLog.MaxLength));
        Assert.Equal(CustodyLog.Count, mesh.Logs.Count);
        mesh.Kill(3);
        Assert.InRange(mesh.Reboot(3).CustodyCount, held - 1, held);
    }
}
