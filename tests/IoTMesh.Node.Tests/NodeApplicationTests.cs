using IoTMesh.Core;
using IoTMesh.Driver;
using IoTMesh.Driver.Tests.Bench;

namespace IoTMesh.Node.Tests;

/// <summary>The node application on a real mesh node, with a gateway that listens; virtual time.</summary>
public sealed class NodeApplicationTests
{
    private const ushort GatewayAddress = 1;
    private const ushort NodeAddress = 2;
    private readonly VirtualBench _bench = new();
    private readonly TestGateway _gateway;
    private readonly TestBoard _board = new();
    private readonly ListLog _log = new();
    private readonly NodeSettings _settings;
    private readonly MemoryStorage _storage = new();
    private readonly MeshDriver _driver;
    private readonly NodeApplication _application;
    private int _nextTag = 100;
    private bool _isJoined;

    public NodeApplicationTests()
    {
        _gateway = _bench.AddGateway(GatewayAddress);
        _settings = TestSettings.Create(_bench.Site, NodeAddress);
        _application = new NodeApplication(_settings, _board, _log);
        _driver = NodeAssembly.Create(_settings, _bench.Air.Connect(NodeAddress), _bench.Clock, _storage, _application);
        _bench.Add(_driver);
    }

    private IEnumerable<Delivered> FromNode(byte port) => _gateway.Messages.Where(message => message.Origin == NodeAddress && message.Port == port);

    [Fact]
    public void Readings_come_each_period_with_everything_the_sensors_measure()
    {
        Assert.True(_bench.RunUntil(() => _gateway.Readings.Any(), 20_000));
        _bench.Run(60_000);
        Assert.InRange(_gateway.Readings.Count(), 29, 31);
        Assert.Equal(_gateway.Readings.Count(), _gateway.Readings.Select(reading => reading.ReadingSeq).Distinct().Count());
        Dictionary<string, double> values = Decode(_gateway.Readings.Last().Payload);
        Assert.Equal(["free_memory", "humidity", "pressure", "temperature", "uptime"], values.Keys.Order());
        Assert.InRange(values["temperature"], 5, 35);
        Assert.InRange(values["humidity"], 30, 75);
        Assert.InRange(values["pressure"], 1000, 1025);
        Assert.InRange(values["uptime"], 55, 85);
        Assert.Equal(61.4, values["free_memory"]);
    }

    [Fact]
    public void Node_info_and_link_report_follow_the_join()
    {
        Assert.True(_bench.RunUntil(() => FromNode(MeshPort.NodeInfo).Any() && FromNode(MeshPort.LinkReport).Any(), 20_000));
        var info = new NodeInfo();
        byte[] payload = FromNode(MeshPort.NodeInfo).First().Payload;
        Assert.Equal(ParseError.None, NodeInfoCodec.Decode(payload, 0, payload.Length, info));
        Assert.Equal((_settings.DeviceId, "Küche 2", "test board", (ushort)1), (info.DeviceId, info.Name, info.Model, info.Boot));
        Assert.Equal(NodeApplication.Version, info.Version);
        Assert.Equal(["led", "period", "name", "uptime", "boot", "free_memory", "parent"], info.Keys.Take(info.KeyCount));
        Assert.Equal([true, true, true, false, false, false, false], info.KeyWritable.Take(info.KeyCount));
        var report = new LinkReport(16);
        payload = FromNode(MeshPort.LinkReport).Last().Payload;
        Assert.Equal(ParseError.None, LinkReportCodec.Decode(payload, 0, payload.Length, report));
        Assert.Equal(GatewayAddress, report.Parent);
        Assert.Equal(GatewayAddress, Assert.Single(report.Addresses.Take(report.Count)));
        Assert.InRange(report.Metric, 64, 200);
        Assert.Equal(-55, report.RssiDbm[0]);
        Assert.Contains(_log.Lines, line => line == "joined gateway 1 via 1");
    }

    [Fact]
    public void Link_reports_are_repeated_and_node_info_is_not()
    {
        Assert.True(_bench.RunUntil(() => FromNode(MeshPort.NodeInfo).Any(), 20_000));
        _gateway.Messages.Clear();
        _bench.Run(300_000);
        Assert.InRange(FromNode(MeshPort.LinkReport).Count(), 5, 13);
        Assert.Empty(FromNode(MeshPort.NodeInfo));
    }

    [Fact]
    public void Led_is_set_and_told()
    {
        CommandMessage answer = Ask(CommandOp.Set, "led", message => message.SetBool(true));
        Assert.Equal((CommandStatus.Ok, CommandValueType.Bool, true), (answer.Status, answer.ValueType, answer.Bool));
        Assert.Equal([false, true], _board.Led);
        Assert.True(_application.Led);
        Assert.True(Ask(CommandOp.Get, "led").Bool);
        Assert.False(Ask(CommandOp.Set, "led", message => message.SetBool(false)).Bool);
        Assert.Equal([false, true, false], _board.Led);
    }

    [Fact]
    public void Period_is_set_and_kept()
    {
        CommandMessage answer = Ask(CommandOp.Set, "period", message => message.SetInteger(10));
        Assert.Equal((CommandStatus.Ok, 10L), (answer.Status, answer.Integer));
        int before = _gateway.Readings.Count();
        _bench.Run(100_000);
        Assert.InRange(_gateway.Readings.Count() - before, 9, 11);
    }

    [Fact]
    public void Name_is_set_and_announced()
    {
        Assert.Equal(CommandStatus.Ok, Ask(CommandOp.Set, "name", message => message.SetText("Dachboden")).Status);
        _bench.Run(5_000);
        byte[] payload = FromNode(MeshPort.NodeInfo).Last().Payload;
        var info = new NodeInfo();
        Assert.Equal(ParseError.None, NodeInfoCodec.Decode(payload, 0, payload.Length, info));
        Assert.Equal("Dachboden", info.Name);
        Assert.Equal("Dachboden", Ask(CommandOp.Get, "name").Text);
    }

    [Fact]
    public void Keys_that_are_read_only_are_read()
    {
        Assert.Equal(1, Ask(CommandOp.Get, "boot").Integer);
        Assert.Equal(61_400, Ask(CommandOp.Get, "free_memory").Integer);
        Assert.Equal(GatewayAddress, Ask(CommandOp.Get, "parent").Integer);
        Assert.InRange(Ask(CommandOp.Get, "uptime").Integer, 0, 60);
    }

    [Fact]
    public void What_cannot_be_done_is_refused_with_its_reason()
    {
        Assert.Equal(CommandStatus.UnknownKey, Ask(CommandOp.Get, "colour").Status);
        Assert.Equal(CommandStatus.UnknownKey, Ask(CommandOp.Set, "colour", message => message.SetInteger(1)).Status);
        Assert.Equal(CommandStatus.ReadOnly, Ask(CommandOp.Set, "uptime", message => message.SetInteger(1)).Status);
        Assert.Equal(CommandStatus.BadValue, Ask(CommandOp.Set, "led", message => message.SetInteger(1)).Status);
        Assert.Equal(CommandStatus.BadValue, Ask(CommandOp.Set, "period", message => message.SetInteger(0)).Status);
        Assert.Equal(CommandStatus.BadValue, Ask(CommandOp.Set, "period", message => message.SetInteger(3_601)).Status);
        Assert.Equal(CommandStatus.BadValue, Ask(CommandOp.Set, "name", message => message.SetText("")).Status);
        Assert.Equal(CommandStatus.BadValue, Ask(CommandOp.Set, "name", message => message.SetText(new string('x', 33))).Status);
        Assert.Equal(CommandStatus.Unsupported, Ask((CommandOp)77, "").Status);
        Assert.Equal(2, _application.PeriodSeconds);
    }

    [Fact]
    public void Ping_answers_with_what_came()
    {
        CommandMessage answer = Ask(CommandOp.Ping, "", message => message.SetText("echo"));
        Assert.Equal((CommandStatus.Ok, "echo"), (answer.Status, answer.Text));
    }

    [Fact]
    public void Identify_blinks_for_ten_seconds_and_leaves_the_led_as_it_was()
    {
        Ask(CommandOp.Set, "led", message => message.SetBool(true));
        _board.Led.Clear();
        Assert.Equal(CommandStatus.Ok, Ask(CommandOp.Identify, "").Status);
        _bench.Run(11_000);
        Assert.InRange(_board.Led.Count, 38, 42);
        Assert.True(_board.Led[^1]);
        _bench.Run(5_000);
        Assert.InRange(_board.Led.Count, 38, 42);
    }

    [Fact]
    public void Reboot_is_answered_and_then_done_where_the_board_can()
    {
        Assert.Equal(CommandStatus.Ok, Ask(CommandOp.Reboot, "").Status);
        _bench.Run(3_000);
        Assert.Equal(1, _board.Reboots);
        _board.CanReboot = false;
        Assert.Equal(CommandStatus.Unsupported, Ask(CommandOp.Reboot, "").Status);
        _bench.Run(3_000);
        Assert.Equal(1, _board.Reboots);
    }

    [Fact]
    public void Describe_sends_info_and_links_again()
    {
        Assert.Equal(CommandStatus.Ok, Ask(CommandOp.Ping, "").Status);
        _bench.Run(5_000);
        _gateway.Messages.Clear();
        Assert.Equal(CommandStatus.Ok, Ask(CommandOp.Describe, "").Status);
        _bench.Run(5_000);
        Assert.Single(FromNode(MeshPort.NodeInfo));
        Assert.NotEmpty(FromNode(MeshPort.LinkReport));
    }

    [Theory]
    [InlineData(false, CommandStatus.Denied)]
    [InlineData(true, CommandStatus.Ok)]
    public void Another_node_commands_only_where_the_settings_let_it(bool anyMayCommand, CommandStatus expected)
    {
        Join();
        _settings.AnyMayCommand = anyMayCommand;
        var commanded = new NodeApplication(_settings, _board, _log);
        _bench.Remove(_driver);
        _bench.Add(NodeAssembly.Create(_settings, _bench.Air.Connect(NodeAddress), _bench.Clock, _storage, commanded));
        var other = new TestGateway();
        NodeSettings settings = TestSettings.Create(_bench.Site, 3);
        _bench.Add(NodeAssembly.Create(settings, _bench.Air.Connect(3), _bench.Clock, new MemoryStorage(), other));
        _bench.Run(5_000);
        var request = new CommandMessage { Id = 9, Op = CommandOp.Set, Key = "led" };
        request.SetBool(true);
        byte[] payload = new byte[CommandCodec.MaxLength];
        int length = CommandCodec.EncodeRequest(request, payload, 0, payload.Length);
        Assert.True(other.Driver.TrySend(NodeAddress, MeshPort.Command, MeshClass.Control, true, payload, 0, length, 1));
        Assert.True(_bench.RunUntil(() => other.Messages.Any(message => message.Port == MeshPort.CommandResponse), 20_000));
        var answer = new CommandMessage();
        Assert.True(Read(other.Messages.First(message => message.Port == MeshPort.CommandResponse), answer));
        Assert.Equal((expected, anyMayCommand), (answer.Status, commanded.Led));
    }

    [Fact]
    public void Node_info_that_found_no_parent_is_sent_to_the_same_gateway_later()
    {
        Assert.Equal(CommandStatus.Ok, Ask(CommandOp.Describe, "").Status);
        _bench.Air.Silent.Add(GatewayAddress);
        _gateway.Messages.Clear();
        _bench.Run(300_000);
        Assert.Equal(0, _application.Parent);
        _bench.Air.Silent.Clear();
        Assert.True(_bench.RunUntil(() => FromNode(MeshPort.NodeInfo).Any(), 200_000), "node info never came");
    }

    [Fact]
    public void Malformed_command_is_counted_and_not_answered()
    {
        Join();
        Assert.True(_gateway.Driver.TrySend(NodeAddress, MeshPort.Command, MeshClass.Control, true, [1, 0, 2, 9, 0], 0, 5, 1));
        Assert.True(_bench.RunUntil(() => _application.CommandsRefused == 1, 5_000));
        _bench.Run(1_000);
        Assert.Empty(FromNode(MeshPort.CommandResponse));
    }

    [Fact]
    public void Readings_wait_while_no_gateway_is_there_and_come_once_after_it_is_back()
    {
        Join();
        _bench.Air.Silent.Add(GatewayAddress);
        int sent = _application.ReadingsSent;
        _bench.Run(60_000);
        Assert.InRange(_application.ReadingsSent - sent, 29, 31);
        _bench.Air.Silent.Clear();
        int last = _application.ReadingsSent;
        Assert.True(_bench.RunUntil(() => _gateway.Readings.Count() >= last, 200_000), $"{_gateway.Readings.Count()} of {last}");
        Assert.Contains("reaches gateway 1 again, via 1", _log.Lines);
        Assert.Equal(_gateway.Readings.Count(), _gateway.Readings.Select(reading => reading.ReadingSeq).Distinct().Count());
    }

    [Fact]
    public void Restarted_node_goes_on_with_the_next_boot()
    {
        Join();
        _bench.Remove(_driver);
        var application = new NodeApplication(_settings, _board, _log);
        MeshDriver driver = NodeAssembly.Create(_settings, _bench.Air.Connect(NodeAddress), _bench.Clock, _storage, application);
        _bench.Add(driver);
        Assert.Equal(2, driver.Node.Boot);
        Assert.True(_bench.RunUntil(() => _gateway.Readings.Any(reading => reading.Boot == 2), 30_000));
    }

    [Fact]
    public void Unknown_sensor_is_reported_and_the_others_work()
    {
        _settings.Sensors = ["uptime", "geiger"];
        var log = new ListLog();
        _ = new NodeApplication(_settings, _board, log);
        Assert.Equal("sensor 'geiger' is not on this board; remove it from 'sensors' or connect it", Assert.Single(log.Lines));
    }

    private void Join()
    {
        Assert.True(_isJoined || _bench.RunUntil(() => FromNode(MeshPort.NodeInfo).Any(), 20_000));
        _isJoined = true;
    }

    private CommandMessage Ask(CommandOp op, string key, Action<CommandMessage>? setValue = null)
    {
        Join();
        var request = new CommandMessage { Id = (ushort)_nextTag++, Op = op, Key = key };
        setValue?.Invoke(request);
        byte[] payload = new byte[CommandCodec.MaxLength];
        int length = CommandCodec.EncodeRequest(request, payload, 0, payload.Length);
        Assert.NotEqual(0, length);
        Assert.True(_gateway.Driver.TrySend(NodeAddress, MeshPort.Command, MeshClass.Control, true, payload, 0, length, request.Id));
        var answer = new CommandMessage();
        bool IsAnswered() => FromNode(MeshPort.CommandResponse).Any(message => Read(message, answer) && answer.Id == request.Id);
        Assert.True(_bench.RunUntil(IsAnswered, 5_000));
        Assert.Equal(key, answer.Key);
        return answer;
    }

    private static bool Read(Delivered message, CommandMessage answer)
    {
        return CommandCodec.DecodeResponse(message.Payload, 0, message.Payload.Length, answer) == ParseError.None;
    }

    private static Dictionary<string, double> Decode(byte[] payload)
    {
        var values = new Dictionary<string, double>();
        var reader = new ReadingReader();
        reader.Reset(payload, 0, payload.Length);
        while (reader.Next())
        {
            values.Add(ReadingKinds.Describe(reader.ObjectId, reader.Channel).Name, reader.Value);
        }

        Assert.Equal(ParseError.None, reader.Error);
        return values;
    }
}
