using System.Net;
using System.Net.Sockets;
using IoTMesh.Core;
using IoTMesh.Driver;

namespace IoTMesh.Simulation.Tests.Capture;

public sealed class LiveCaptureTests : IDisposable
{
    private static readonly byte[] _probe =
    [
        (FrameFormat.Version << 6) | (FrameFormat.TypeProbe << 2), 0x28, 1, 0, 2, 0, 7, 0, 0, 0, 1, 0, 9, 9, 9, 9,
    ];

    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("iotmesh-live-");

    [TsharkFact]
    public async Task Airs_and_links_tell_what_passed_and_when()
    {
        string file = Path.Combine(_folder.FullName, "live.pcapng");
        DateTime before = DateTime.UtcNow.AddSeconds(-1);
        using (LiveCapture capture = new(File.Create(file), "live", "test"))
        {
            using RealTimeAir air = new(Topology.Create(TopologyKind.Line, 3)) { Watch = capture };
            IWakeableLink one = (IWakeableLink)air.Connect(1);
            CapturedLink two = new((IWakeableLink)air.Connect(2), 2, capture);
            Assert.True(one.Send(2, _probe, 0, _probe.Length));
            byte[] buffer = new byte[250];
            Assert.Equal(_probe.Length, two.Receive(buffer, 2_000, out _));
            Assert.True(two.Send(1, _probe, 0, _probe.Length));
            SendToUdpAir(capture);
        }

        string[] fields =
        [
            "frame.time_epoch", "iotmesh_capture.transmitter", "iotmesh_capture.node", "iotmesh_capture.rssi", "iotmesh.type", "iotmesh.malformed",
        ];
        List<Dictionary<string, string[]>> rows = await Tshark.ReadAsync(file, fields);
        string[] told = [.. rows.Select(row => $"{row["iotmesh_capture.transmitter"][0]}>{string.Join(",", row["iotmesh_capture.node"])}")];

        // One's air, two's ear, two's air and mouth, and the UDP air.
        Assert.Equal(["1>2", "1>2", "2>1", "2>", "1>2"], told);
        double first = double.Parse(rows[0]["frame.time_epoch"][0], System.Globalization.CultureInfo.InvariantCulture);
        Assert.InRange(DateTime.UnixEpoch.AddSeconds(first), before, DateTime.UtcNow.AddSeconds(1));
        Assert.All(rows, row => Assert.Equal("3", row["iotmesh.type"][0]));
        Assert.All(rows, row => Assert.Empty(row["iotmesh.malformed"]));
    }

    [Fact]
    public void A_full_disk_stops_the_capture_and_nothing_else()
    {
        LiveCapture capture = new(new FullDisk(2_000), "live", "test");
        for (int i = 0; i < 500; i++)
        {
            capture.FrameEnded(new AirFrame(i, 1, 2, _probe, [], false));
        }

        capture.Dispose();
        Assert.Equal("the disk is full", capture.Problem);
        Assert.True(capture.Frames > 5);
        Assert.Equal(500, capture.Frames + capture.LeftOut);
    }

    public void Dispose() => _folder.Delete(recursive: true);

    private static void SendToUdpAir(LiveCapture capture)
    {
        using AirServer air = new(new AirOptions { Topology = Topology.Create(TopologyKind.Line, 2), Port = 0, Watch = capture });
        using CancellationTokenSource stop = new();
        Thread thread = new(() => air.Run(stop.Token));
        thread.Start();
        using UdpClient node = new();
        byte[] datagram = new byte[AirFormat.HeaderLength + _probe.Length];
        AirFormat.Write(datagram, new AirHeader(AirType.Frame, 1, 1, 2));
        _probe.CopyTo(datagram, AirFormat.HeaderLength);
        node.Send(datagram, new IPEndPoint(IPAddress.Loopback, air.Port));
        Assert.True(SpinWait.SpinUntil(() => air.Counters.FramesReceived == 1, 5_000));
        stop.Cancel();
        thread.Join();
    }

    /// <summary>Takes so many bytes.</summary>
    private sealed class FullDisk(long capacity) : MemoryStream
    {
        public override void Write(byte[] buffer, int offset, int count)
        {
            Check(count);
            base.Write(buffer, offset, count);
        }

        public override void Write(ReadOnlySpan<byte> buffer)
        {
            Check(buffer.Length);
            base.Write(buffer);
        }

        private void Check(int count)
        {
            if (Length + count > capacity)
            {
                throw new IOException("the disk is full");
            }
        }
    }
}
