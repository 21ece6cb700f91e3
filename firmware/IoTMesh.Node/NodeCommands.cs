using IoTMesh.Core;

namespace IoTMesh.Node;

/// <summary>Carries out requests of port 1: the table of keys that can be read and set, and what each operation does.</summary>
internal sealed class NodeCommands
{
    private const int RebootDelayMs = 2_000;
    private const string Led = "led";
    private const string Period = "period";
    private const string Name = "name";
    private const string Uptime = "uptime";
    private const string Boot = "boot";
    private const string FreeMemory = "free_memory";
    private const string Parent = "parent";

    private readonly NodeApplication _application;
    private readonly NodeBlink _blink;
    private readonly IBoard _board;
    private readonly bool _anyMayCommand;
    private readonly CommandMessage _message = new CommandMessage();

    internal NodeCommands(NodeApplication application, NodeBlink blink, IBoard board, bool anyMayCommand)
    {
        _anyMayCommand = anyMayCommand;
        _application = application;
        _blink = blink;
        _board = board;
    }

    /// <summary>The last request and its status, for the log.</summary>
    internal string LastSummary { get; private set; } = "";

    /// <summary>Lists the keys for node info.</summary>
    internal void Describe(NodeInfo info)
    {
        info.ClearKeys();
        info.AddKey(Led, CommandValueType.Bool, true);
        info.AddKey(Period, CommandValueType.Integer, true);
        info.AddKey(Name, CommandValueType.Text, true);
        info.AddKey(Uptime, CommandValueType.Integer, false);
        info.AddKey(Boot, CommandValueType.Integer, false);
        info.AddKey(FreeMemory, CommandValueType.Integer, false);
        info.AddKey(Parent, CommandValueType.Integer, false);
    }

    /// <summary>Does what the request in the output's buffer asks and writes the response; 0 where the request cannot be read.</summary>
    internal int Answer(long nowMs, MeshOutput output, byte[] response)
    {
        if (CommandCodec.DecodeRequest(output.Buffer, 0, output.Length, _message) != ParseError.None)
        {
            return 0;
        }

        CommandOp op = _message.Op;
        _message.Status = output.IsFromGateway || _anyMayCommand ? Execute(nowMs) : CommandStatus.Denied;
        LastSummary = NameOf(op) + (_message.Key.Length > 0 ? " " + _message.Key : "")
            + (_message.Status == CommandStatus.Ok ? "" : " (refused: " + ((int)_message.Status).ToString() + ")");
        return CommandCodec.EncodeResponse(_message, response, 0, response.Length);
    }

    private CommandStatus Execute(long nowMs)
    {
        switch (_message.Op)
        {
            case CommandOp.Set:
                CommandStatus status = Set(nowMs);
                if (status == CommandStatus.Ok)
                {
                    Get(nowMs);
                }

                return status;
            case CommandOp.Get:
                return Get(nowMs);
            case CommandOp.Ping:
                return CommandStatus.Ok;
            case CommandOp.Identify:
                _blink.Identify(nowMs);
                return CommandStatus.Ok;
            case CommandOp.Reboot:
                if (!_board.CanReboot)
                {
                    return CommandStatus.Unsupported;
                }

                // Late enough for the answer to leave.
                _application.RebootAt(nowMs + RebootDelayMs);
                return CommandStatus.Ok;
            case CommandOp.Describe:
                _application.Announce(nowMs);
                return CommandStatus.Ok;
            default:
                return CommandStatus.Unsupported;
        }
    }

    private CommandStatus Set(long nowMs)
    {
        switch (_message.Key)
        {
            case Led:
                if (_message.ValueType != CommandValueType.Bool)
                {
                    return CommandStatus.BadValue;
                }

                _blink.Set(_message.Bool);
                return CommandStatus.Ok;
            case Period:
                if (_message.ValueType != CommandValueType.Integer || _message.Integer < 1 || _message.Integer > NodeSettings.PeriodMaxSeconds)
                {
                    return CommandStatus.BadValue;
                }

                _application.SetPeriod(nowMs, (int)_message.Integer);
                return CommandStatus.Ok;
            case Name:
                if (_message.ValueType != CommandValueType.Text || _message.Text.Length == 0 || !NodeSettingsParser.FitsName(_message.Text))
                {
                    return CommandStatus.BadValue;
                }

                _application.Name = _message.Text;
                _application.Announce(nowMs);
                return CommandStatus.Ok;
            case Uptime:
            case Boot:
            case FreeMemory:
            case Parent:
                return CommandStatus.ReadOnly;
            default:
                return CommandStatus.UnknownKey;
        }
    }

    private CommandStatus Get(long nowMs)
    {
        switch (_message.Key)
        {
            case Led:
                _message.SetBool(_blink.IsOn);
                return CommandStatus.Ok;
            case Period:
                _message.SetInteger(_application.PeriodSeconds);
                return CommandStatus.Ok;
            case Name:
                _message.SetText(_application.Name);
                return CommandStatus.Ok;
            case Uptime:
                _message.SetInteger(_application.UptimeSeconds(nowMs));
                return CommandStatus.Ok;
            case Boot:
                _message.SetInteger(_application.Boot);
                return CommandStatus.Ok;
            case FreeMemory:
                _message.SetInteger(_board.FreeMemoryBytes);
                return CommandStatus.Ok;
            case Parent:
                _message.SetInteger(_application.Parent);
                return CommandStatus.Ok;
            default:
                _message.SetNone();
                return CommandStatus.UnknownKey;
        }
    }

    private static string NameOf(CommandOp op)
    {
        switch (op)
        {
            case CommandOp.Set:
                return "set";
            case CommandOp.Get:
                return "get";
            case CommandOp.Ping:
                return "ping";
            case CommandOp.Identify:
                return "identify";
            case CommandOp.Reboot:
                return "reboot";
            case CommandOp.Describe:
                return "describe";
            default:
                return "unknown operation";
        }
    }
}
