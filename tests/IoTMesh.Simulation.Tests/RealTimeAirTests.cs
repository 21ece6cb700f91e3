using System.Diagnostics;
using IoTMesh.Driver;
using IoTMesh.Simulation;

namespace IoTMesh.Simulation.Tests;

public class RealTimeAirTests
{
    private readonly byte[] _buffer = new byte[250];

    private int Receive(ILink link, int timeoutMs = 2_000) => link.Receive(_buffer, timeoutMs, out _);

    [Fact]
    public void Unicast_reaches_its_destination_only_and_broadcast_all_in_range()
    {
        using RealTimeAir air = new(Topology.Create(TopologyKind.Line, 4));
        ILink[] links = [.. Enumerable.Range(1, 4).Select(node => air.Connect((ushort)node))];
        Assert.True(links[1].Send(3, [9, 8, 7], 1, 2));
        Assert.Equal(2, links[2].Receive(_buffer, 2_000, out sbyte rssiDbm));
        Assert.Equal(8, _buffer[0]);
        Assert.InRange(rssiDbm, -95, -20);
        Assert.True(links[1].Send(0xFFFF, [1, 2, 3], 0, 3));
        Assert.Equal(3, Receive(links[0]));
        Assert.Equal(3, Receive(links[2]));
        Assert.Equal(0, Receive(links[3], 20));
        Assert.True(links[1].Send(4, [1], 0, 1));
        Assert.Equal(0, Receive(links[3], 20));
        Assert.Equal(3, air.FramesSent);
        Assert.Equal(6, air.BytesSent);
        Assert.Equal(3, air.FramesDelivered);
    }

    [Fact]
    public void Frames_of_one_sender_stay_in_order_and_wait_for_their_delay()
    {
        using RealTimeAir air = new(Topology.Create(TopologyKind.Line, 2)) { DelayMs = 40 };
        ILink a = air.Connect(1);
        ILink b = air.Connect(2);
        long start = Stopwatch.GetTimestamp();
        for (byte i = 0; i < 20; i++)
        {
            Assert.True(a.Send(2, [i], 0, 1));
        }

        for (byte i = 0; i < 20; i++)
        {
            Assert.Equal(1, Receive(b));
            Assert.Equal(i, _buffer[0]);
            Assert.True(Stopwatch.GetElapsedTime(start).TotalMilliseconds >= 40);
        }
    }

    [Fact]
    public void Faults_act_while_it_runs()
    {
        using RealTimeAir air = new(Topology.Create(TopologyKind.Line, 2));
        ILink a = air.Connect(1);
        ILink b = air.Connect(2);
        Action<bool> expect = heard =>
        {
            Assert.True(a.Send(2, [1], 0, 1));
            Assert.Equal(heard ? 1 : 0, Receive(b, heard ? 2_000 : 15));
        };
        expect(true);
        air.Cut(1, 2);
        expect(false);
        air.Restore(1, 2);
        expect(true);
        air.Kill(2);
        expect(false);
        air.Start(2);
        expect(true);
        air.SetLoss(1.0);
        expect(false);
        air.SetLoss(null);
        expect(true);
        air.Partition([[1], [2]]);
        Assert.False(air.HasPath(1, 2));
        expect(false);
        air.Merge();
        expect(true);
        air.Move(2, 9, 9);
        expect(false);
        Assert.Equal(new RadioPosition(9, 9), air.PositionOf(2));
    }

    [Fact]
    public void Node_that_connects_again_takes_over_its_address()
    {
        using RealTimeAir air = new(Topology.Create(TopologyKind.Line, 2));
        ILink old = air.Connect(1);
        ILink other = air.Connect(2);
        air.Kill(1);
        ILink again = air.Connect(1);
        Assert.False(old.Send(2, [1], 0, 1));
        Assert.True(other.Send(1, [5], 0, 1));
        Assert.Equal(0, Receive(old, 0));
        Assert.Equal(1, Receive(again));
        again.Close();
        Assert.True(other.Send(1, [5], 0, 1));
        Assert.Equal(0, Receive(again, 0));
    }

    [Fact]
    public void Close_wakes_a_waiting_receiver()
    {
        using RealTimeAir air = new(Topology.Create(TopologyKind.Line, 2));
        ILink link = air.Connect(1);
        Thread waiting = new(() => link.Receive(new byte[250], 60_000, out _));
        waiting.Start();
        link.Close();
        Assert.True(waiting.Join(5_000));
    }

    [Fact]
    public void Refuses_frames_it_cannot_carry()
    {
        using RealTimeAir air = new(Topology.Create(TopologyKind.Line, 2));
        ILink link = air.Connect(1);
        Assert.Equal(250, link.MaxFrameLength);
        Assert.False(link.Send(2, new byte[300], 0, 251));
        Assert.False(link.Send(2, new byte[300], 0, 0));
        Assert.Throws<InputException>(() => air.Connect(3));
        Assert.Throws<InputException>(() => air.Connect(0));
    }

    [Fact]
    public void Receiver_that_does_not_keep_up_loses_frames_not_memory()
    {
        using RealTimeAir air = new(Topology.Create(TopologyKind.Line, 2));
        ILink a = air.Connect(1);
        air.Connect(2);
        for (int i = 0; i < 500; i++)
        {
            Assert.True(a.Send(2, [1], 0, 1));
        }

        Assert.Equal(500, air.FramesDelivered + air.FramesOverrun);
        Assert.True(air.FramesOverrun > 400);
    }

    [Fact]
    public void Many_threads_share_it()
    {
        const int Nodes = 30;
        const int Frames = 40;
        using RealTimeAir air = new(Topology.Create(TopologyKind.Ring, Nodes));
        ILink[] links = [.. Enumerable.Range(1, Nodes).Select(node => air.Connect((ushort)node))];
        int[] heard = new int[Nodes];
        Thread[] threads = [.. Enumerable.Range(0, Nodes).Select(i => new Thread(() =>
        {
            byte[] buffer = new byte[250];
            long end = Environment.TickCount64 + 10_000;
            int sent = 0;
            while ((sent < Frames || heard[i] < 2 * Frames) && Environment.TickCount64 < end)
            {
                if (sent < Frames && links[i].Send(0xFFFF, buffer, 0, 20))
                {
                    sent++;
                }

                heard[i] += links[i].Receive(buffer, sent < Frames ? 1 : 50, out _) > 0 ? 1 : 0;
            }
        }))];
        Array.ForEach(threads, thread => thread.Start());
        Array.ForEach(threads, thread => thread.Join());
        Assert.All(heard, count => Assert.Equal(2 * Frames, count));
    }
}
