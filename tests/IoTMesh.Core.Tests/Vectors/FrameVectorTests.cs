using System.Globalization;
using IoTMesh.Core;

namespace IoTMesh.Core.Tests.Vectors;

/// <summary>
/// tests/vectors/frames.txt against the reference codec and the core. With IOTMESH_WRITE_VECTORS=1 the computed fields are written anew: that is a
/// change of the protocol, which needs a version and a line in the changelog.
/// </summary>
public class FrameVectorTests
{
    // By then a node has probed whom it heard at 2 ms.
    private const long ProbeMs = 40;
    private static readonly VectorFile _file = Load();
    private static readonly PlatformCrypto _crypto = new();

    private static byte[] Secret => _file["site", "keys"].Hex("secret");

    private static byte Epoch => (byte)_file["site", "keys"].Number("epoch");

    private static VectorFile Load()
    {
        var file = new VectorFile("frames.txt");
        if (Environment.GetEnvironmentVariable("IOTMESH_WRITE_VECTORS") == "1")
        {
            VectorSection site = file["site", "keys"];
            var codec = new ReferenceCodec(site.Hex("secret"), (byte)site.Number("epoch"));
            foreach (VectorSection section in file.Sections)
            {
                foreach ((string field, string value) in Compute(file, codec, section))
                {
                    section.Set(field, value);
                }
            }

            file.Write();
        }

        return file;
    }

    /// <summary>The fields of a section that follow from its others.</summary>
    private static List<(string Field, string Value)> Compute(VectorFile file, ReferenceCodec codec, VectorSection section)
    {
        switch (section.Kind)
        {
            case "site":
                return [];
            case "key":
                return [("value", Convert.ToHexStringLower(codec.Key(section.Name)))];
            case "message":
                return
                [
                    ("nonce", Convert.ToHexStringLower(ReferenceCodec.Nonce(section))),
                    ("sealed", Convert.ToHexStringLower(codec.Seal(section))),
                ];
            case "refused":
                return [("hex", Convert.ToHexStringLower(Spoil(file, codec, section)))];
            default:
                return [("hex", Convert.ToHexStringLower(codec.Frame(section, name => file["message", name])))];
        }
    }

    // of: the frame it starts from; then set OFFSET HEX, cut LENGTH and append HEX; counter: signed again with that counter.
    private static byte[] Spoil(VectorFile file, ReferenceCodec codec, VectorSection section)
    {
        string[] of = section["of"].Split(' ');
        byte[] frame = codec.Frame(file[of[0], of[1]], name => file["message", name]);
        frame = section.Has("counter") ? frame[..^4] : frame;
        frame = section.Has("cut") ? frame[..(int)section.Number("cut")] : frame;
        frame = section.Has("append") ? [.. frame, .. section.Hex("append")] : frame;
        foreach (string set in section.All("set"))
        {
            string[] words = set.Split(' ');
            Convert.FromHexString(words[1]).CopyTo(frame, int.Parse(words[0], CultureInfo.InvariantCulture));
        }

        if (section.Has("counter"))
        {
            uint counter = section.Number("counter");
            Bytes.PutU16(frame, FrameFormat.OffsetCounter, (ushort)counter);
            if (FrameFormat.GetType(frame[0]) != FrameFormat.TypeData)
            {
                Bytes.PutU16(frame, FrameFormat.OffsetCounterHigh, (ushort)(counter >> 16));
            }

            frame = codec.Sign(frame, counter);
        }

        return frame;
    }

    [Fact]
    public void The_reference_codec_recreates_every_computed_field_bit_by_bit()
    {
        var codec = new ReferenceCodec(Secret, Epoch);
        int checkedFields = 0;
        foreach (VectorSection section in _file.Sections)
        {
            foreach ((string field, string value) in Compute(_file, codec, section))
            {
                Assert.Equal((section.Kind, section.Name, field, value), (section.Kind, section.Name, field, section[field]));
                checkedFields++;
            }
        }

        Assert.True(checkedFields > 40, $"only {checkedFields} fields");
    }

    [Fact]
    public void The_core_derives_the_same_keys()
    {
        byte[] network = SiteKeys.CreateNetworkKey(_crypto, Secret, Epoch);
        Assert.Equal(_file["key", "network"].Hex("value"), network);
        Assert.Equal(_file["key", "hop"].Hex("value"), KeySchedule.Derive(_crypto, network, KeySchedule.LabelHop, Epoch));
        Assert.Equal(_file["key", "group"].Hex("value"), KeySchedule.Derive(_crypto, network, KeySchedule.LabelGroup, Epoch));
        byte[] device = SiteKeys.CreateDeviceKey(_crypto, Secret, 5);
        Assert.Equal(_file["key", "device 5"].Hex("value"), device);
        Assert.Equal(_file["key", "up 5"].Hex("value"), KeySchedule.Derive(_crypto, device, KeySchedule.LabelUp, 0));
        Assert.Equal(_file["key", "down 5"].Hex("value"), KeySchedule.Derive(_crypto, device, KeySchedule.LabelDown, 0));
        byte[] pair = new byte[16];
        PairwiseKeys.Derive(_crypto, PairwiseKeys.CreateShare(_crypto, Secret, 6), 6, 5, pair);
        Assert.Equal(_file["key", "pair 5 6"].Hex("value"), pair);
    }

    [Fact]
    public void The_core_opens_every_message_and_writes_every_data_frame()
    {
        var codec = new ReferenceCodec(Secret, Epoch);
        var ccm = new Ccm(250);
        foreach (VectorSection message in _file.Sections.Where(s => s.Kind == "message"))
        {
            byte[] body = message.Hex("sealed");
            Assert.True(ccm.Open(_crypto.CreateAes(codec.Key(message["key"])), message.Hex("nonce"), null, 0, body, 0, body.Length - 8));
            Assert.Equal(message["plain"], Convert.ToHexStringLower(body, 0, body.Length - 8));
        }

        foreach (VectorSection data in _file.Sections.Where(s => s.Kind == "data" && !s.Has("extension")))
        {
            byte[] golden = data.Hex("hex");
            byte[] frame = new byte[250];
            int at = FrameFormat.NarrowLength + (data.Number("class") == 1 ? 2 : 1) + (data.Has("ack") ? FrameFormat.RidingAckLength : 0);
            Array.Copy(golden, frame, at);
            string[] names = data.All("message");
            for (int i = 0; i < names.Length; i++)
            {
                at = Emit(_file["message", names[i]], frame, at, (ushort)data.Number("source"), i < names.Length - 1);
            }

            new HopAuthenticator(_crypto, SiteKeys.CreateNetworkKey(_crypto, Secret, Epoch), Epoch, 250).Sign(frame, at, data.Number("counter"));
            Assert.Equal(Convert.ToHexStringLower(golden), Convert.ToHexStringLower(frame, 0, at + FrameFormat.TagLength));
        }
    }

    private static int Emit(VectorSection message, byte[] frame, int at, ushort source, bool withLength)
    {
        byte[] body = message.Hex("sealed");
        var header = new MessageHeader
        {
            Kind = (byte)message.Number("kind"),
            HopLimit = (byte)message.Number("hop-limit"),
            Origin = (ushort)message.Number("origin"),
            Destination = (ushort)message.Number("destination"),
            Via = (ushort)message.Number("via"),
            IsWide = message.Number("wide") != 0,
            Counter = message.Number("counter"),
            Boot = (ushort)message.Number("origin-boot"),
            BodyLength = body.Length,
        };
        at = header.Emit(frame, at, source, withLength);
        body.CopyTo(frame, at);
        return at + body.Length;
    }

    [Fact]
    public void The_inspector_explains_every_frame()
    {
        byte[] network = SiteKeys.CreateNetworkKey(_crypto, Secret, Epoch);
        foreach (VectorSection section in _file.Sections.Where(s => s.Has("result") && s.Kind != "refused"))
        {
            ushort high = (ushort)(section.Number("counter") >> 16);
            bool isAck = section.Kind is "ack" or "ack-mail" or "busy";
            FrameInspector decoded = FrameInspector.Decode(section.Hex("hex"), isAck ? null : network, Epoch, high);
            bool explained = !section.Has("extension");
            Assert.Equal((section.Name, explained ? null : decoded.Problem), (section.Name, decoded.Problem));
            bool right = decoded.Fields.Any(f => f.Name == "hop tag" && f.Value.EndsWith("(right)", StringComparison.Ordinal));
            Assert.True(right || isAck, section.Name);
        }
    }

    [Fact]
    public void Node_6_takes_the_frames_in_the_files_order_and_refuses_the_others()
    {
        var keys = new MeshKeys
        {
            NetworkKey = SiteKeys.CreateNetworkKey(_crypto, Secret, Epoch),
            NetworkId = SiteKeys.CreateNetworkId(_crypto, Secret),
            Epoch = Epoch,
            DeviceKey = SiteKeys.CreateDeviceKey(_crypto, Secret, 6),
            PairwiseShare = PairwiseKeys.CreateShare(_crypto, Secret, 6),
        };
        var node = new MeshNode(new MeshConfig { Address = 6 }, keys, _crypto, 1, null);
        var output = new MeshOutput(250);
        var delivered = new List<string>();
        long nowMs = 2;
        node.Start(1);
        Drain(node, output, delivered, nowMs);
        foreach (VectorSection section in _file.Sections.Where(s => s.Has("result")))
        {
            byte[] frame = section.Hex("hex");
            if (section.Kind == "data")
            {
                // Node 6 takes data only of who has answered its probe.
                nowMs = ProbeMs;
                node.HandleTimeout(nowMs);
                Drain(node, output, delivered, nowMs);
                Assert.True(node.IsVerified((ushort)section.Number("source")), section.Name);
            }

            ParseError error = node.HandleFrame(nowMs, frame, 0, frame.Length, -60);
            Assert.Equal((section.Kind, section.Name, section["result"]), (section.Kind, section.Name, error.ToString()));
            Drain(node, output, delivered, nowMs);
        }

        string[] expected = _file.Sections.SelectMany(s => s.All("delivers")).ToArray();
        Assert.Equal(expected, delivered);
        Assert.NotEmpty(expected);
    }

    /// <summary>What a neighbor replies to a probe, under a counter that the file's frames leave out.</summary>
    private static void Reply(MeshNode node, ushort neighbor, byte[] probe, long nowMs)
    {
        byte[] reply = _file["probe-reply", "to-another-challenge"].Hex("hex")[..^FrameFormat.TagLength];
        uint counter = neighbor == 5 ? 131_060u : 20;
        Bytes.PutU16(reply, FrameFormat.OffsetSource, neighbor);
        Bytes.PutU16(reply, FrameFormat.OffsetCounter, (ushort)counter);
        Bytes.PutU16(reply, FrameFormat.OffsetCounterHigh, (ushort)(counter >> 16));
        Array.Copy(probe, FrameFormat.OffsetCounter, reply, FrameFormat.WideLength + ProbeFormat.ReplyOffsetChallenge, 4);
        reply = new ReferenceCodec(Secret, Epoch).Sign(reply, counter);
        Assert.Equal(ParseError.None, node.HandleFrame(nowMs, reply, 0, reply.Length, -60));
    }

    private static void Drain(MeshNode node, MeshOutput output, List<string> delivered, long nowMs)
    {
        while (node.Poll(output))
        {
            if (output.Kind == OutputKind.Transmit && FrameFormat.GetType(output.Buffer[0]) == FrameFormat.TypeProbe)
            {
                Reply(node, output.LinkDestination, output.Buffer, nowMs);
            }

            if (output.Kind == OutputKind.Store)
            {
                node.HandleStored(nowMs, output.Token, true);
            }
            else if (output.Kind == OutputKind.Deliver)
            {
                delivered.Add($"{output.Origin} {output.Port} {Convert.ToHexStringLower(output.Buffer, 0, output.Length)}");
            }
        }
    }
}
