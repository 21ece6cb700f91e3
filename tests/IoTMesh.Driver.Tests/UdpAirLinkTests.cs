using System.Net;
using System.Net.Sockets;
using IoTMesh.Core;
using IoTMesh.Driver.Tests.Bench;

namespace IoTMesh.Driver.Tests;

/// <summary>The link against the real air, over sockets of this machine.</summary>
public sealed class UdpAirLinkTests : IDisposable
{
    private const int ReceiveMs = 2_000;
    private readonly List<UdpAirLink> _links = [];
    private readonly byte[] _buffer = new byte[1500];

    public void Dispose()
    {
        _links.ForEach(link => link.Close());
    }

    [Fact]
    public void Frames_reach_the_neighbor_they_are_for()
    {
        using RunningAir air = new(3);
        UdpAirLink first = Connect(1, air.Port);
        UdpAirLink second = Connect(2, air.Port);
        UdpAirLink third = Connect(3, air.Port);
        Register(first, second, third);
        Assert.True(first.Send(2, [9, 8, 7], 1, 2));
        Assert.Equal(2, second.Receive(_buffer, ReceiveMs, out sbyte rssiDbm));
        Assert.Equal([8, 7], _buffer[..2]);
        Assert.InRange(rssiDbm, -120, -1);
        Assert.True(second.Send(MeshAddress.All, [5], 0, 1));
        Assert.Equal(1, first.Receive(_buffer, ReceiveMs, out _));
        Assert.Equal(1, third.Receive(_buffer, ReceiveMs, out _));
        Assert.Equal(0, third.Receive(_buffer, 50, out _));
        Assert.Equal(0, first.SocketErrors + second.SocketErrors + third.SocketErrors);
    }

    [Fact]
    public void Restarted_air_has_the_node_again_by_itself()
    {
        int port;
        UdpAirLink first;
        UdpAirLink second;
        using (RunningAir air = new(2))
        {
            port = air.Port;
            first = Connect(1, port);
            second = Connect(2, port);
            Register(first, second);
        }

        Assert.Equal(0, first.Receive(_buffer, 100, out _));
        using RunningAir again = new(2, port);
        Assert.True(WaitFor(() => again.RegisteredCount == 2, first, second));
        Assert.True(first.Send(2, [1, 2, 3], 0, 3));
        Assert.Equal(3, second.Receive(_buffer, ReceiveMs, out _));
    }

    [Fact]
    public void Address_outside_the_topology_is_reported()
    {
        using RunningAir air = new(2);
        UdpAirLink link = Connect(77, air.Port);
        Assert.Equal(AirRegistration.Absent, link.Registration);
        Assert.True(WaitFor(() => link.Registration == AirRegistration.UnknownAddress, link));
    }

    [Fact]
    public void Without_an_air_nothing_throws_and_the_wait_is_kept()
    {
        UdpAirLink link = Connect(1, FreePort());
        long startMs = Environment.TickCount64;
        Assert.Equal(0, link.Receive(_buffer, 100, out _));
        Assert.InRange(Environment.TickCount64 - startMs, 90, 60_000);
        link.Send(2, [1], 0, 1);
        Assert.Equal(AirRegistration.Absent, link.Registration);
    }

    [Fact]
    public void Host_that_does_not_exist_is_an_error_that_is_told_and_no_stop()
    {
        UdpAirLink link = new(1, "999.1.1.1", 17_700, new SystemClock());
        _links.Add(link);
        Assert.False(link.Send(2, [1], 0, 1));
        Assert.Equal(0, link.Receive(_buffer, 10, out _));
        Assert.NotEqual(0, link.SocketErrors);
        Assert.NotNull(link.LastError);
    }

    [Fact]
    public void Wake_ends_a_wait_from_another_thread()
    {
        UdpAirLink link = Connect(1, FreePort());
        Assert.Equal(0, link.Receive(_buffer, 1, out _));
        long startMs = Environment.TickCount64;
        using var timer = new Timer(_ => link.Wake(), null, 50, Timeout.Infinite);
        Assert.Equal(0, link.Receive(_buffer, 600_000, out _));
        Assert.InRange(Environment.TickCount64 - startMs, 0, 300_000);
    }

    [Fact]
    public void Strange_datagrams_are_dropped_and_counted()
    {
        using var air = new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
        air.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        UdpAirLink link = Connect(1, ((IPEndPoint)air.LocalEndPoint!).Port);
        Assert.Equal(0, link.Receive(_buffer, 1, out _));
        EndPoint node = new IPEndPoint(IPAddress.Loopback, 0);
        air.ReceiveFrom(_buffer, ref node);
        byte[] good = [0x69, 0x61, 1, 3, 1, 0, 2, 0, 1, 0, 0xC4, 0, 0xAA];
        List<byte[]> strange = [good[..12], [.. good[..4], 9, .. good[5..]], [.. good[..12], .. new byte[1201]]];
        var random = new Random(5);
        for (int i = 0; i < 200; i++)
        {
            byte[] bad = new byte[random.Next(2, 1400)];
            random.NextBytes(bad);
            strange.Add(bad);
        }

        // One at a time: the socket's own buffer would drop some of a burst.
        foreach (byte[] datagram in strange)
        {
            int before = link.Malformed;
            air.SendTo(datagram, node);
            air.SendTo(good, node);
            int length = 0;
            for (int i = 0; i < 3 && length == 0; i++)
            {
                length = link.Receive(_buffer, ReceiveMs, out _);
            }

            Assert.Equal(1, length);
            Assert.Equal(0xAA, _buffer[0]);
            Assert.Equal(before + 1, link.Malformed);
        }
    }

    [Fact]
    public void Closed_link_refuses_and_does_not_throw()
    {
        UdpAirLink link = Connect(1, FreePort());
        link.Receive(_buffer, 1, out _);
        link.Close();
        Assert.False(link.Send(2, [1], 0, 1));
        Assert.Equal(0, link.Receive(_buffer, 1, out _));
        link.Wake();
        link.Close();
    }

    [Fact]
    public void Nothing_is_allocated_per_frame()
    {
        using RunningAir air = new(2);
        UdpAirLink first = Connect(1, air.Port);
        UdpAirLink second = Connect(2, air.Port);
        Register(first, second);
        byte[] frame = new byte[60];
        long before = 0;
        int received = 0;
        for (int i = 0; i < 300; i++)
        {
            before = i == 100 ? GC.GetAllocatedBytesForCurrentThread() : before;
            first.Send(2, frame, 0, frame.Length);
            received += second.Receive(_buffer, ReceiveMs, out _) > 0 ? 1 : 0;
        }

        // The runtime may do something once; 200 frames may not.
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 199);
        Assert.InRange(received, 250, 300);
    }

    private UdpAirLink Connect(ushort address, int port)
    {
        var link = new UdpAirLink(address, "127.0.0.1", port, new SystemClock());
        _links.Add(link);
        return link;
    }

    private void Register(params UdpAirLink[] links)
    {
        Assert.True(WaitFor(() => links.All(link => link.Registration == AirRegistration.Registered), links));
    }

    /// <summary>Lets the links do their registration until the condition holds.</summary>
    private bool WaitFor(Func<bool> condition, params UdpAirLink[] links)
    {
        long endMs = Environment.TickCount64 + 60_000;
        while (!condition() && Environment.TickCount64 < endMs)
        {
            foreach (UdpAirLink link in links)
            {
                link.Receive(_buffer, 5, out _);
            }
        }

        return condition();
    }

    private static int FreePort()
    {
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
        socket.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        return ((IPEndPoint)socket.LocalEndPoint!).Port;
    }
}
