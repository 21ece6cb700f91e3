using IoTMesh.Core;
using IoTMesh.Driver;

namespace IoTMesh.Node;

/// <summary>
/// What a node does with the mesh: sends a reading each period, answers commands, tells its gateway who it is (node info) and
/// how it is linked (link reports). Runs on the driver's thread; the same on a board and on .NET. Allocates nothing in steady
/// state but where a parent or gateway changes or a command arrives.
/// </summary>
public sealed class NodeApplication : IMeshApplication
{
    public const string Version = "0.1.0";

    private const int FirstReadingMaxMs = 2_000;
    private const int LinkReportIntervalMs = 60_000;
    private const int EarlyLinkReportIntervalMs = 30_000;
    private const int EarlyMs = 300_000;

    // Parents change in bursts while a mesh heals; the report follows when it has settled.
    private const int LinkReportDelayMs = 1_000;
    private const int InfoDelayMs = 500;
    private const int InfoRetryMinMs = 4_000;
    private const int InfoRetryMaxMs = 60_000;
    private const int MsPerSecond = 1_000;

    private readonly IBoard _board;
    private readonly INodeLog _log;
    private readonly ISensor[] _sensors;
    private readonly NodeCommands _commands;
    private readonly NodeBlink _blink;
    private readonly ReadingWriter _writer = new ReadingWriter();
    private readonly NodeInfo _info = new NodeInfo();
    private readonly NeighborInfo _neighbor = new NeighborInfo();
    private readonly RouteInfo _route = new RouteInfo();
    private readonly ulong _deviceId;
    private LinkReport _report;
    private byte[] _payload;
    private byte[] _reading;
    private MeshNode _node;
    private long _startMs;
    private long _nextReadingMs = long.MaxValue;
    private long _nextReportMs = long.MaxValue;
    private long _nextInfoMs = long.MaxValue;
    private long _rebootAtMs = long.MaxValue;
    private int _infoRetryMs = InfoRetryMinMs;
    private int _infoToken;
    private bool _isInfoUnderway;
    private bool _isInfoOwed;
    private ushort _parent;
    private ushort _gateway;
    private uint _random;

    public NodeApplication(NodeSettings settings, IBoard board, INodeLog log)
    {
        _board = board;
        _log = log;
        _deviceId = settings.DeviceId;
        Name = settings.Name;
        PeriodSeconds = settings.PeriodSeconds;
        _random = ((uint)settings.Address << 1) | 1u;
        _blink = new NodeBlink(board);
        _sensors = NodeSensors.Create(settings, board, log);
        _commands = new NodeCommands(this, _blink, board, settings.AnyMayCommand);
    }

    public string Name { get; internal set; }

    public int PeriodSeconds { get; private set; }

    public bool Led => _blink.IsOn;

    /// <summary>Readings that the mesh took.</summary>
    public int ReadingsSent { get; private set; }

    /// <summary>Readings that the mesh refused (not ready, or nothing measured).</summary>
    public int ReadingsRefused { get; private set; }

    public int CommandsAnswered { get; private set; }

    /// <summary>Commands that could not be read or whose answer was refused.</summary>
    public int CommandsRefused { get; private set; }

    /// <summary>Next hop towards a gateway, 0 for none. Driver's thread.</summary>
    public ushort Parent => _parent;

    /// <summary>The gateway that readings go to, 0 for none. Driver's thread.</summary>
    public ushort Gateway => _gateway;

    public ushort Boot => _node == null ? (ushort)0 : _node.Boot;

    public long NextDeadlineMs
    {
        get
        {
            long deadlineMs = Earlier(_nextReadingMs, _nextReportMs);
            deadlineMs = Earlier(deadlineMs, _nextInfoMs);
            deadlineMs = Earlier(deadlineMs, _rebootAtMs);
            return Earlier(deadlineMs, _blink.NextDeadlineMs);
        }
    }

    public void HandleStarted(long nowMs, MeshDriver driver)
    {
        _node = driver.Node;
        _startMs = nowMs;
        _random ^= (uint)_node.Boot << 16;
        _report = new LinkReport(_node.Config.MaxNeighbors);
        _payload = new byte[_node.Config.MaxPayloadLength];
        _reading = new byte[_node.Config.MaxReadingLength];
        _nextReadingMs = nowMs + Jitter(PeriodSeconds * MsPerSecond < FirstReadingMaxMs ? PeriodSeconds * MsPerSecond : FirstReadingMaxMs);
        _board.SetLed(false);
        _log.Write("started: node " + _node.Address.ToString() + ", '" + Name + "', boot " + _node.Boot.ToString()
            + ", a reading every " + PeriodSeconds.ToString() + " s");
    }

    public void HandleOutput(long nowMs, MeshOutput output)
    {
        switch (output.Kind)
        {
            case OutputKind.Deliver:
                if (output.Port == MeshPort.Command)
                {
                    AnswerCommand(nowMs, output);
                }

                break;
            case OutputKind.RouteChanged:
                CheckParent(nowMs);
                break;
            case OutputKind.SendCompleted:
                if (_isInfoUnderway && output.Token == _infoToken)
                {
                    _isInfoUnderway = false;
                    if (!output.Success)
                    {
                        RetryInfo(nowMs);
                    }
                }

                break;
        }
    }

    public void HandlePosted(long nowMs, int tag, SendResult result, int token)
    {
    }

    public void HandleTimeout(long nowMs)
    {
        _blink.HandleTimeout(nowMs);
        if (nowMs >= _nextReadingMs)
        {
            ScheduleReading(nowMs);
            SendReading(nowMs);
        }

        if (nowMs >= _nextReportMs)
        {
            _nextReportMs = nowMs + (nowMs - _startMs < EarlyMs ? EarlyLinkReportIntervalMs : LinkReportIntervalMs);
            SendLinkReport(nowMs);
        }

        if (nowMs >= _nextInfoMs)
        {
            _nextInfoMs = long.MaxValue;
            SendInfo(nowMs);
        }

        if (nowMs >= _rebootAtMs)
        {
            _rebootAtMs = long.MaxValue;
            _log.Write("rebooting");
            _board.Reboot();
        }
    }

    /// <summary>Seconds since the application started.</summary>
    internal long UptimeSeconds(long nowMs)
    {
        return (nowMs - _startMs) / MsPerSecond;
    }

    internal void SetPeriod(long nowMs, int seconds)
    {
        PeriodSeconds = seconds;
        _nextReadingMs = nowMs + Jitter(seconds * MsPerSecond);
    }

    internal void RebootAt(long timeMs)
    {
        _rebootAtMs = timeMs;
    }

    /// <summary>Sends node info and a link report soon.</summary>
    internal void Announce(long nowMs)
    {
        _infoRetryMs = InfoRetryMinMs;
        _nextInfoMs = nowMs + InfoDelayMs;
        _nextReportMs = nowMs + LinkReportDelayMs;
    }

    private void ScheduleReading(long nowMs)
    {
        long periodMs = PeriodSeconds * MsPerSecond;
        _nextReadingMs += periodMs;
        if (_nextReadingMs <= nowMs)
        {
            // The board slept or stalled: what was not measured then is not made up now.
            _nextReadingMs = nowMs + periodMs;
        }
    }

    private void SendReading(long nowMs)
    {
        _writer.Reset(_reading, 0, _reading.Length);
        for (int i = 0; i < _sensors.Length; i++)
        {
            _sensors[i].Sample(nowMs, _writer);
        }

        uint readingSeq = 0;
        SendResult result = SendResult.NotReady;
        if (_writer.Length > 0)
        {
            result = _node.SendReading(nowMs, _reading, 0, _writer.Length, out readingSeq);
        }

        if (result == SendResult.Accepted)
        {
            ReadingsSent++;
            if (_log.IsVerbose)
            {
                _log.Write("reading " + readingSeq.ToString() + " sent, " + _writer.Length.ToString() + " bytes, via " + _parent.ToString()
                    + ", " + _node.CustodyCount.ToString() + " waiting");
            }
        }
        else
        {
            ReadingsRefused++;
        }
    }

    private void CheckParent(long nowMs)
    {
        ushort parent = _node.GetNextHop(MeshAddress.AnyGateway);
        ushort gateway = _node.NearestGateway;
        if (parent == _parent && gateway == _gateway)
        {
            return;
        }

        if (parent == MeshAddress.None)
        {
            _log.Write("no way to a gateway; readings wait here");
        }
        else if (gateway != _gateway)
        {
            _log.Write("joined gateway " + gateway.ToString() + " via " + parent.ToString());
            _infoRetryMs = InfoRetryMinMs;
            _nextInfoMs = nowMs + InfoDelayMs + Jitter(InfoDelayMs);
        }
        else if (_parent == MeshAddress.None)
        {
            _nextInfoMs = _isInfoOwed ? nowMs + InfoDelayMs + Jitter(InfoDelayMs) : _nextInfoMs;
            _log.Write("reaches gateway " + gateway.ToString() + " again, via " + parent.ToString());
        }
        else
        {
            _log.Write("parent changed from " + _parent.ToString() + " to " + parent.ToString());
        }

        _parent = parent;

        // The gateway of before is remembered over a gap, so that the same one is not told all again.
        _gateway = gateway == MeshAddress.None ? _gateway : gateway;
        if (parent != MeshAddress.None)
        {
            long dueMs = nowMs + LinkReportDelayMs + Jitter(LinkReportDelayMs);
            _nextReportMs = _nextReportMs < dueMs ? _nextReportMs : dueMs;
        }
    }

    private void SendLinkReport(long nowMs)
    {
        if (_parent == MeshAddress.None)
        {
            return;
        }

        _report.Clear();
        _report.Parent = _parent;
        for (int i = 0; i < _node.RouteCount; i++)
        {
            _node.GetRoute(i, _route);
            if (_route.Destination == _gateway)
            {
                _report.Metric = _route.Metric;
            }
        }

        for (int i = 0; i < _node.NeighborCount; i++)
        {
            _node.GetNeighbor(i, _neighbor);
            if (_neighbor.IsVerified)
            {
                _report.Add(_neighbor.Address, _neighbor.LinkCost, _neighbor.RssiDbm);
            }
        }

        int token;
        int length = LinkReportCodec.Encode(_report, _payload, 0, _payload.Length);
        _node.Send(nowMs, MeshAddress.AnyGateway, MeshPort.LinkReport, MeshClass.Normal, false, _payload, 0, length, out token);
    }

    private void SendInfo(long nowMs)
    {
        _isInfoOwed = _parent == MeshAddress.None;
        if (_isInfoOwed)
        {
            // The next parent calls for it, also where the gateway is the one of before.
            return;
        }

        _info.DeviceId = _deviceId;
        _info.Boot = _node.Boot;
        _info.Name = Name;
        _info.Model = _board.Model;
        _info.Version = Version;
        _commands.Describe(_info);
        int length = NodeInfoCodec.Encode(_info, _payload, 0, _payload.Length);
        SendResult result = _node.Send(
            nowMs, MeshAddress.AnyGateway, MeshPort.NodeInfo, MeshClass.Normal, true, _payload, 0, length, out _infoToken);
        _isInfoUnderway = result == SendResult.Accepted;
        if (!_isInfoUnderway)
        {
            RetryInfo(nowMs);
        }
    }

    private void RetryInfo(long nowMs)
    {
        _nextInfoMs = nowMs + _infoRetryMs + Jitter(_infoRetryMs);
        _infoRetryMs = _infoRetryMs * 2 < InfoRetryMaxMs ? _infoRetryMs * 2 : InfoRetryMaxMs;
    }

    private void AnswerCommand(long nowMs, MeshOutput output)
    {
        int length = _commands.Answer(nowMs, output, _payload);
        int token;
        bool isSent = length > 0 && _node.Send(
            nowMs, output.Origin, MeshPort.CommandResponse, MeshClass.Control, true, _payload, 0, length, out token) == SendResult.Accepted;
        if (isSent)
        {
            CommandsAnswered++;
            _log.Write("command from " + output.Origin.ToString() + ": " + _commands.LastSummary);
        }
        else
        {
            CommandsRefused++;
        }
    }

    private int Jitter(int maxMs)
    {
        _random ^= _random << 13;
        _random ^= _random >> 17;
        _random ^= _random << 5;
        return (int)((_random >> 1) % (uint)(maxMs + 1));
    }

    private static long Earlier(long a, long b)
    {
        return a < b ? a : b;
    }
}
