using System.Globalization;

namespace IoTMesh.Core.Tests.Telemetry;

public class MessageCodecTests
{
    public static TheoryData<string> Requests => TelemetryVectors.NamesOf("request");

    public static TheoryData<string> Responses => TelemetryVectors.NamesOf("response");

    public static TheoryData<string> LinkReports => TelemetryVectors.NamesOf("link-report");

    public static TheoryData<string> NodeInfos => TelemetryVectors.NamesOf("node-info");

    [Theory]
    [MemberData(nameof(Requests))]
    public void Golden_request(string name)
    {
        TelemetryVector vector = TelemetryVectors.Get("request", name);
        var message = new CommandMessage();
        Assert.Equal(ParseError.None, CommandCodec.DecodeRequest(vector.Bytes, 0, vector.Bytes.Length, message));
        Assert.Equal(vector["op"], message.Op.ToString());
        CheckCommand(vector, message);
        byte[] buffer = new byte[vector.Bytes.Length];
        Assert.Equal(buffer.Length, CommandCodec.EncodeRequest(message, buffer, 0, buffer.Length));
        Assert.Equal(vector.Bytes, buffer);
        Assert.Equal(0, CommandCodec.EncodeRequest(message, buffer, 0, buffer.Length - 1));
    }

    [Theory]
    [MemberData(nameof(Responses))]
    public void Golden_response(string name)
    {
        TelemetryVector vector = TelemetryVectors.Get("response", name);
        var message = new CommandMessage();
        Assert.Equal(ParseError.None, CommandCodec.DecodeResponse(vector.Bytes, 0, vector.Bytes.Length, message));
        Assert.Equal(vector["status"], message.Status.ToString());
        CheckCommand(vector, message);
        byte[] buffer = new byte[vector.Bytes.Length];
        Assert.Equal(buffer.Length, CommandCodec.EncodeResponse(message, buffer, 0, buffer.Length));
        Assert.Equal(vector.Bytes, buffer);
    }

    [Theory]
    [MemberData(nameof(LinkReports))]
    public void Golden_link_report(string name)
    {
        TelemetryVector vector = TelemetryVectors.Get("link-report", name);
        var report = new LinkReport(4);
        Assert.Equal(ParseError.None, LinkReportCodec.Decode(vector.Bytes, 0, vector.Bytes.Length, report));
        Assert.Equal(vector["parent"], report.Parent.ToString(CultureInfo.InvariantCulture));
        Assert.Equal(vector["metric"], report.Metric.ToString(CultureInfo.InvariantCulture));
        Assert.Equal(
            vector.All("neighbor"),
            Enumerable.Range(0, report.Count).Select(i => $"{report.Addresses[i]} {report.LinkCosts[i]} {report.RssiDbm[i]}"));
        byte[] buffer = new byte[vector.Bytes.Length];
        Assert.Equal(buffer.Length, LinkReportCodec.Encode(report, buffer, 0, buffer.Length));
        Assert.Equal(vector.Bytes, buffer);
    }

    [Theory]
    [MemberData(nameof(NodeInfos))]
    public void Golden_node_info(string name)
    {
        TelemetryVector vector = TelemetryVectors.Get("node-info", name);
        var info = new NodeInfo();
        Assert.Equal(ParseError.None, NodeInfoCodec.Decode(vector.Bytes, 0, vector.Bytes.Length, info));
        Assert.Equal(vector["device"], info.DeviceId.ToString("x16", CultureInfo.InvariantCulture));
        Assert.Equal(vector["boot"], info.Boot.ToString(CultureInfo.InvariantCulture));
        Assert.Equal(vector["name"], info.Name);
        Assert.Equal(vector["model"], info.Model);
        Assert.Equal(vector["version"], info.Version);
        Assert.Equal(
            vector.All("key"),
            Enumerable.Range(0, info.KeyCount).Select(i => $"{info.Keys[i]} {info.KeyTypes[i]} {(info.KeyWritable[i] ? "rw" : "ro")}"));
        byte[] buffer = new byte[vector.Bytes.Length];
        Assert.Equal(buffer.Length, NodeInfoCodec.Encode(info, buffer, 0, buffer.Length));
        Assert.Equal(vector.Bytes, buffer);
        for (int capacity = 0; capacity < buffer.Length; capacity++)
        {
            Assert.Equal(0, NodeInfoCodec.Encode(info, buffer, 0, capacity));
        }
    }

    [Fact]
    public void Too_long_key_or_text_is_not_encoded()
    {
        byte[] buffer = new byte[200];
        var message = new CommandMessage { Op = CommandOp.Set, Key = new string('k', CommandCodec.MaxKeyLength) };
        message.SetText(new string('ü', CommandCodec.MaxTextLength / 2));
        Assert.Equal(CommandCodec.MaxLength, CommandCodec.EncodeRequest(message, buffer, 0, buffer.Length));
        message.SetText(new string('ü', (CommandCodec.MaxTextLength / 2) + 1));
        Assert.Equal(0, CommandCodec.EncodeRequest(message, buffer, 0, buffer.Length));
        message.SetNone();
        message.Key += "k";
        Assert.Equal(0, CommandCodec.EncodeRequest(message, buffer, 0, buffer.Length));
    }

    [Fact]
    public void Trailing_bytes_are_refused()
    {
        foreach (TelemetryVector vector in TelemetryVectors.All.Where(vector => vector.Kind is "request" or "link-report" or "node-info"))
        {
            byte[] longer = [.. vector.Bytes, 0];
            Assert.Equal(ParseError.BadLength, Decode(vector.Kind, longer));
        }
    }

    [Fact]
    public void Link_report_carries_as_many_neighbors_as_fit()
    {
        var report = new LinkReport(16);
        for (ushort address = 1; address <= 16; address++)
        {
            Assert.True(report.Add(address, 64, -50));
        }

        Assert.False(report.Add(17, 64, -50));
        byte[] buffer = new byte[32];
        Assert.Equal(30, LinkReportCodec.Encode(report, buffer, 0, buffer.Length));
        var copy = new LinkReport(16);
        Assert.Equal(ParseError.None, LinkReportCodec.Decode(buffer, 0, 30, copy));
        Assert.Equal(5, copy.Count);
        Assert.Equal(ParseError.TableFull, LinkReportCodec.Decode(buffer, 0, 30, new LinkReport(4)));
    }

    [Theory]
    [InlineData("", true)]
    [InlineData("41", true)]
    [InlineData("00", false)]
    [InlineData("C3BC", true)]
    [InlineData("C0AF", false)]
    [InlineData("E282AC", true)]
    [InlineData("E08080", false)]
    [InlineData("EDA080", false)]
    [InlineData("F09F9880", true)]
    [InlineData("F4908080", false)]
    [InlineData("F09F98", false)]
    [InlineData("80", false)]
    [InlineData("FF", false)]
    public void Text_is_checked_as_utf8(string hex, bool isValid)
    {
        byte[] text = Convert.FromHexString(hex);
        byte[] request = [1, 0, (byte)CommandOp.Get, 0, (byte)text.Length, .. text];
        ParseError error = CommandCodec.DecodeRequest(request, 0, request.Length, new CommandMessage());
        Assert.Equal(isValid ? ParseError.None : ParseError.Malformed, error);
    }

    [Fact]
    public void Mutated_messages_never_throw()
    {
        var random = new Random(20260102);
        int refused = 0;
        foreach (TelemetryVector vector in TelemetryVectors.All.Where(vector => !vector.Kind.EndsWith("reading", StringComparison.Ordinal)))
        {
            for (int round = 0; round < 4_000; round++)
            {
                refused += Decode(vector.Kind, Mutation.Of(vector.Bytes, random)) == ParseError.None ? 0 : 1;
            }
        }

        Assert.InRange(refused, 10_000, 100_000);
    }

    [Fact]
    public void Encoding_allocates_nothing()
    {
        byte[] buffer = new byte[180];
        var message = new CommandMessage { Op = CommandOp.Set, Key = "name", Id = 7 };
        message.SetText("küche");
        var report = new LinkReport(16);
        report.Add(1, 64, -50);
        var info = new NodeInfo { Name = "küche", Model = "ESP32", Version = "0.1.0" };
        info.AddKey("led", CommandValueType.Bool, true);
        var writer = new ReadingWriter();
        var reader = new ReadingReader();
        long before = 0;
        int written = 0;
        for (int round = 0; round < 1_100; round++)
        {
            before = round == 100 ? GC.GetAllocatedBytesForCurrentThread() : before;
            writer.Reset(buffer, 0, buffer.Length);
            writer.Add(BthomeTable.Temperature, -512);
            writer.AddGeneric(ReadingChannel.Uptime, 0, round);
            writer.AddText("grün");
            reader.Reset(buffer, 0, writer.Length);
            while (reader.Next())
            {
                written++;
            }

            written += CommandCodec.EncodeRequest(message, buffer, 0, buffer.Length) > 0 ? 1 : 0;
            written += LinkReportCodec.Encode(report, buffer, 0, buffer.Length) > 0 ? 1 : 0;
            written += NodeInfoCodec.Encode(info, buffer, 0, buffer.Length) > 0 ? 1 : 0;
        }

        Assert.Equal(before, GC.GetAllocatedBytesForCurrentThread());
        Assert.Equal(1_100 * 6, written);
    }

    private static ParseError Decode(string kind, byte[] bytes)
    {
        return kind switch
        {
            "request" => CommandCodec.DecodeRequest(bytes, 0, bytes.Length, new CommandMessage()),
            "response" => CommandCodec.DecodeResponse(bytes, 0, bytes.Length, new CommandMessage()),
            "link-report" => LinkReportCodec.Decode(bytes, 0, bytes.Length, new LinkReport(8)),
            _ => NodeInfoCodec.Decode(bytes, 0, bytes.Length, new NodeInfo()),
        };
    }

    private static void CheckCommand(TelemetryVector vector, CommandMessage message)
    {
        Assert.Equal(Number(vector["id"]), message.Id);
        Assert.Equal(vector["key"], message.Key);
        CommandValueType type = vector.Find("bool") != null ? CommandValueType.Bool
            : vector.Find("integer") != null ? CommandValueType.Integer
            : vector.Find("text") != null ? CommandValueType.Text
            : CommandValueType.None;
        Assert.Equal(type, message.ValueType);
        Assert.Equal(vector.Find("text") ?? "", message.Text);
        Assert.Equal(Number(vector.Find("bool") ?? vector.Find("integer") ?? "0"), message.Integer);
    }

    private static long Number(string text)
    {
        return text.StartsWith("0x", StringComparison.Ordinal) ? Convert.ToInt64(text, 16) : long.Parse(text, CultureInfo.InvariantCulture);
    }
}
