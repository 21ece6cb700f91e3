using System.Buffers.Binary;
using IoTMesh.Core;

namespace IoTMesh.Simulation.Tests.Capture;

/// <summary>The Wireshark dissector against the core's own reading of the same frames.</summary>
public sealed class DissectorTests : IDisposable
{
    private const string Malformed = "iotmesh.malformed";
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("iotmesh-pcap-");

    [TsharkFact]
    public async Task Shows_every_frame_of_a_run_as_the_core_reads_it()
    {
        Scenario scenario = Parse("""
            {"durationSeconds": 60, "join": true,
             "topology": {"kind": "grid4", "nodes": 9, "loss": 0.15, "gateways": [1, 9], "sleepy": [7], "pollIntervalSeconds": 3},
             "traffic": [{"from": "all", "to": "gateway", "periodSeconds": 2, "custody": true},
                         {"from": [2, 3, 4], "to": "any", "periodSeconds": 3, "confirmed": true},
                         {"from": [5], "to": "all", "periodSeconds": 5, "class": "control"},
                         {"from": [1], "to": [7], "periodSeconds": 5},
                         {"from": [6], "to": "gateway", "periodSeconds": 4, "class": "bulk"}],
             "faults": [{"atSeconds": 20, "kill": 5}, {"atSeconds": 35, "start": 5}, {"atSeconds": 40, "gatewayDown": 9}]}
            """);
        RecordingWatch recording = new();
        string file = Path.Combine(_folder.FullName, "run.pcapng");
        using (RunCapture capture = new(File.Create(file), scenario, 3))
        {
            SimulationRun.Run(scenario, 3, new VirtualMeshOptions { Watch = new RunWatches(capture, recording) });
            Assert.Equal(recording.Frames.Count, capture.Frames);
        }

        List<Dictionary<string, string[]>> rows = await Tshark.ReadAsync(file, [.. InspectorFields.Names, Malformed]);
        Assert.Equal(recording.Frames.Count, rows.Count);
        for (int i = 0; i < rows.Count; i++)
        {
            Compare(i, recording.Frames[i].Bytes, rows[i]);
        }

        string[] seen = [.. rows.Select(row => row["iotmesh.type"][0]).Distinct().Order()];
        Assert.Equal(["0", "1", "10", "2", "3", "4", "5", "6", "7", "8"], seen);
        Assert.True(rows.SelectMany(row => row["iotmesh.message.kind"]).Distinct().Count() >= 6);
    }

    [TsharkFact]
    public async Task Capture_header_tells_who_heard_a_frame_and_who_did_not()
    {
        Scenario scenario = Parse("""
            {"name": "lossy", "durationSeconds": 20, "topology": {"kind": "line", "nodes": 3, "loss": 0.3},
             "traffic": [{"from": "all", "to": "gateway", "periodSeconds": 1}], "faults": [{"atSeconds": 15, "kill": 3}]}
            """);
        RecordingWatch recording = new();
        string file = Path.Combine(_folder.FullName, "run.pcapng");
        using (RunCapture capture = new(File.Create(file), scenario, 1))
        {
            SimulationRun.Run(scenario, 1, new VirtualMeshOptions { Watch = new RunWatches(capture, recording) });
        }

        string[] fields =
        [
            "frame.time_epoch", "frame.interface_name", "frame.comment", "iotmesh_capture.transmitter", "iotmesh_capture.destination",
            "iotmesh_capture.node", "iotmesh_capture.rssi", "iotmesh_capture.fate", "iotmesh_capture.malformed", "iotmesh.source",
        ];
        List<Dictionary<string, string[]>> rows = await Tshark.ReadAsync(file, fields);
        Assert.Equal(recording.Frames.Count, rows.Count);
        for (int i = 0; i < rows.Count; i++)
        {
            RecordedFrame frame = recording.Frames[i];
            decimal epoch = decimal.Parse(rows[i]["frame.time_epoch"][0], System.Globalization.CultureInfo.InvariantCulture);
            Assert.Equal(frame.EndUs, (long)(epoch * 1_000_000));
            Assert.Equal([$"{frame.Transmitter}"], rows[i]["iotmesh_capture.transmitter"]);
            Assert.Equal([$"{frame.LinkDestination}"], rows[i]["iotmesh_capture.destination"]);
            Assert.Equal(frame.Receptions.Select(at => $"{at.Node}"), rows[i]["iotmesh_capture.node"]);
            Assert.Equal(frame.Receptions.Select(at => $"{at.RssiDbm}"), rows[i]["iotmesh_capture.rssi"]);
            Assert.Equal(frame.Receptions.Select(at => $"{(int)at.Fate}"), rows[i]["iotmesh_capture.fate"]);
            Assert.Empty(rows[i]["iotmesh_capture.malformed"]);
            Assert.All(rows[i]["iotmesh.source"], source => Assert.Equal($"{frame.Transmitter}", source));
        }

        Assert.Contains(rows, row => row["iotmesh_capture.fate"].Contains("1"));
        Assert.All(rows, row => Assert.Equal(["lossy seed 1"], row["frame.interface_name"]));
        Assert.Equal(["fault: kill 3"], rows.SelectMany(row => row["frame.comment"]));
    }

    [TsharkFact]
    public async Task Finds_malformed_exactly_what_the_core_does_and_never_fails()
    {
        SeededRandom random = new(11);
        List<byte[]> valid = SomeFrames();
        List<byte[]> frames = [];
        for (int i = 0; i < 4_000; i++)
        {
            byte[] frame;
            if (i % 2 == 0)
            {
                frame = new byte[1 + random.NextInt(60)];
                random.Fill(frame);
                frame[0] = (byte)(i % 4 == 0 ? frame[0] : (FrameFormat.Version << 6) | (frame[0] & 0x3F));
            }
            else
            {
                byte[] source = valid[random.NextInt(valid.Count)];
                frame = source[..(random.NextInt(3) == 0 ? 1 + random.NextInt(source.Length) : source.Length)];
                frame[random.NextInt(frame.Length)] = (byte)random.NextInt(256);
            }

            frames.Add(frame);
        }

        string file = Path.Combine(_folder.FullName, "garbage.pcapng");
        using (PcapngWriter writer = new(File.Create(file), "garbage", "random"))
        {
            for (int i = 0; i < frames.Count; i++)
            {
                writer.FrameEnded(new AirFrame(i, 1, 2, frames[i], [], false));
            }
        }

        List<Dictionary<string, string[]>> rows = await Tshark.ReadAsync(file, ["iotmesh.version", Malformed]);
        for (int i = 0; i < frames.Count; i++)
        {
            string? problem = FrameInspector.Decode(frames[i]).Problem;
            bool isMalformed = rows[i][Malformed].Length > 0;
            Assert.True((problem is not null) == isMalformed, $"{Convert.ToHexStringLower(frames[i])}: core '{problem}', dissector {isMalformed}");
        }

        Assert.Contains(rows, row => row[Malformed].Length == 0);
    }

    [TsharkFact]
    public async Task Decodes_the_datagrams_of_the_udp_air()
    {
        byte[] beacon = SomeFrames().First(frame => FrameFormat.GetType(frame[0]) == FrameFormat.TypeBeacon);
        byte[] framed = new byte[AirFormat.HeaderLength + beacon.Length];
        AirFormat.Write(framed, new AirHeader(AirType.Frame, 3, 2, 0xFFFF, -71));
        beacon.CopyTo(framed, AirFormat.HeaderLength);
        byte[] hello = new byte[AirFormat.HeaderLength];
        AirFormat.Write(hello, new AirHeader(AirType.Hello, 3));
        byte[] broken = [0x69, 0x61, 9, 9];
        string file = Path.Combine(_folder.FullName, "udp.pcap");
        WriteUdp(file, [framed, hello, broken]);
        List<Dictionary<string, string[]>> rows = await Tshark.ReadAsync(
            file, ["iotmesh_air.type", "iotmesh_air.node", "iotmesh_air.rssi", "iotmesh_air.malformed", "iotmesh.type", Malformed]);
        Assert.Equal(["3", "3", "-71", "1"], [.. rows[0].Values.SelectMany(values => values)]);
        Assert.Equal(["1", "3"], [.. rows[1].Values.SelectMany(values => values)]);
        Assert.Single(rows[2]["iotmesh_air.malformed"]);
    }

    public void Dispose() => _folder.Delete(recursive: true);

    internal static Scenario Parse(string json) => Scenario.Parse("test.json", System.Text.Encoding.UTF8.GetBytes(json));

    private static List<byte[]> SomeFrames()
    {
        RecordingWatch recording = new();
        Scenario scenario = Parse("""
            {"durationSeconds": 30, "topology": {"kind": "grid4", "nodes": 6, "loss": 0.2},
             "traffic": [{"from": "all", "to": "gateway", "periodSeconds": 2, "custody": true}, {"from": [2], "to": "all", "periodSeconds": 4}]}
            """);
        SimulationRun.Run(scenario, 1, new VirtualMeshOptions { Watch = recording });
        return [.. recording.Frames.Select(frame => frame.Bytes)];
    }

    private static void Compare(int index, byte[] frame, Dictionary<string, string[]> row)
    {
        FrameInspector inspector = FrameInspector.Decode(frame);
        string where = $"frame {index + 1}, {Convert.ToHexStringLower(frame)}";
        Assert.True(inspector.Problem is null, $"{where}: {inspector.Problem}");
        Assert.True(row[Malformed].Length == 0, $"{where}: the dissector finds it malformed");
        foreach ((string name, List<string> expected) in InspectorFields.Of(inspector))
        {
            string[] found = [.. row[name].Select(InspectorFields.Normal)];
            bool isEqual = found.Length == expected.Count && found.Zip(expected).All(pair => pair.Second == "*" || pair.First == pair.Second);
            Assert.True(isEqual, $"{where}: {name} is {string.Join(" ", found)}, not {string.Join(" ", expected)}");
        }
    }

    /// <summary>A classic pcap of raw IPv4 packets (LINKTYPE_RAW, 101).</summary>
    private static void WriteUdp(string file, IReadOnlyList<byte[]> datagrams)
    {
        using BinaryWriter writer = new(File.Create(file));
        foreach (uint value in new uint[] { 0xA1B2C3D4, 0x0004_0002, 0, 0, 65_535, 101 })
        {
            writer.Write(value);
        }

        foreach (byte[] datagram in datagrams)
        {
            byte[] packet = new byte[28 + datagram.Length];
            packet[0] = 0x45;
            BinaryPrimitives.WriteUInt16BigEndian(packet.AsSpan(2), (ushort)packet.Length);
            packet[8] = 64;
            packet[9] = 17;
            BinaryPrimitives.WriteUInt32BigEndian(packet.AsSpan(12), 0x7F000001);
            BinaryPrimitives.WriteUInt32BigEndian(packet.AsSpan(16), 0x7F000001);
            BinaryPrimitives.WriteUInt16BigEndian(packet.AsSpan(20), 40_000);
            BinaryPrimitives.WriteUInt16BigEndian(packet.AsSpan(22), AirOptions.DefaultPort);
            BinaryPrimitives.WriteUInt16BigEndian(packet.AsSpan(24), (ushort)(8 + datagram.Length));
            datagram.CopyTo(packet, 28);
            foreach (uint value in new[] { 0u, 0u, (uint)packet.Length, (uint)packet.Length })
            {
                writer.Write(value);
            }

            writer.Write(packet);
        }
    }
}
