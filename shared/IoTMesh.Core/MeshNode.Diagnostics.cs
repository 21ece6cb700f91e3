namespace IoTMesh.Core;

/// <content>Diagnostics: ping, trace and the tables of any node, asked by any node; one question under way at a time. protocol.md 7.4.</content>
public sealed partial class MeshNode
{
    private const int DiagnosisTimeoutMs = 2_000;
    private const int TraceHopTimeoutMs = 1_000;
    private const int DiagnosisTries = 4;
    private const int TraceHopTries = 2;
    private const int SilentHopsMax = 3;
    private const int DiagnosisPauseMs = 100;
    private const int ModePing = 1;
    private const int ModeTrace = 2;
    private const int ModeTable = 3;

    private byte _diagMode;
    private byte _diagTable;
    private byte _diagHop;
    private byte _diagTries;
    private byte _diagSilent;
    private ushort _diagTarget;
    private ushort _diagRow;
    private uint _diagCounter;
    private int _diagToken;
    private long _diagSentMs;
    private long _lastDiagnosisMs = long.MinValue / 2;

    /// <summary>
    /// Asks a node for a sign of life. A Diagnosis output tells the round trip; SendCompleted ends it. QueueFull while another diagnosis runs.
    /// </summary>
    public SendResult Ping(long nowMs, ushort destination, out int token)
    {
        return BeginDiagnosis(nowMs, ModePing, destination, 0, out token);
    }

    /// <summary>Asks each hop on the way to a node, one by one: a Diagnosis output for each that answers, SendCompleted at the end.</summary>
    public SendResult Trace(long nowMs, ushort destination, out int token)
    {
        return BeginDiagnosis(nowMs, ModeTrace, destination, 0, out token);
    }

    /// <summary>Asks a node for a table, part by part: a Diagnosis output for each part, SendCompleted at the end.</summary>
    /// <param name="table">A <see cref="DiagnosticTable"/>.</param>
    public SendResult RequestTable(long nowMs, ushort destination, byte table, out int token)
    {
        return BeginDiagnosis(nowMs, ModeTable, destination, table, out token);
    }

    private SendResult BeginDiagnosis(long nowMs, byte mode, ushort destination, byte table, out int token)
    {
        token = 0;
        Advance(nowMs);
        if (!_started || !_record.CanSendMessage)
        {
            return SendResult.NotReady;
        }

        if (!MeshAddress.IsUnicast(destination) || destination == Address)
        {
            return SendResult.InvalidDestination;
        }

        if (_diagMode != 0)
        {
            return SendResult.QueueFull;
        }

        if (SendCipherFor(destination, _peers.FindOrAdd(destination)) == null)
        {
            return SendResult.NoKey;
        }

        token = TakeToken();
        _diagMode = mode;
        _diagTarget = destination;
        _diagTable = table;
        _diagToken = token;
        _diagRow = 0;
        _diagHop = 1;
        _diagTries = 0;
        _diagSilent = 0;
        _timers.Set(Timer.Diagnosis, nowMs);
        return SendResult.Accepted;
    }

    /// <summary>Ends the diagnosis under way without a word, so that another may begin.</summary>
    public void ForgetDiagnosis()
    {
        _diagMode = 0;
        _timers.Stop(Timer.Diagnosis);
    }

    private void StepDiagnosis()
    {
        _timers.Stop(Timer.Diagnosis);
        if (_diagTries >= (_diagMode == ModeTrace ? TraceHopTries : DiagnosisTries))
        {
            if (_diagMode != ModeTrace || ++_diagSilent >= SilentHopsMax)
            {
                EndDiagnosis(false);
                return;
            }

            NextHop();
        }

        _diagTries++;
        int timeoutMs = _diagMode == ModeTrace ? TraceHopTimeoutMs : DiagnosisTimeoutMs;
        int peer = _peers.FindOrAdd(_diagTarget);
        if (peer != PeerTable.None && _peers.Boot[peer] == 0 && _diagMode != ModeTrace)
        {
            // Its answer tells the boot that messages for it are bound to.
            SendHello(_diagTarget, 1);
        }
        else
        {
            SendDiagnosis();
        }

        _timers.Set(Timer.Diagnosis, _nowMs + timeoutMs);
    }

    private void SendDiagnosis()
    {
        int count = 1;
        _plain[0] = ServiceKind.Trace;
        if (_diagMode == ModeTable)
        {
            _plain[0] = ServiceKind.TableRequest;
            _plain[1] = _diagTable;
            Bytes.PutU16(_plain, 2, _diagRow);
            count = DiagnosticFormat.RequestLength;
        }

        int slot = Compose(MessageKind.Service, _diagTarget, (byte)MeshClass.Control, true, count);
        if (slot != MessageQueue.None)
        {
            // The hop limit lies outside the end-to-end tag.
            _queue.HopLimit[slot] = _diagMode == ModeTrace ? _diagHop : Config.HopLimit;
            _diagCounter = _queue.Counter[slot];
            _diagSentMs = _nowMs;
        }
    }

    private void NextHop()
    {
        _diagHop++;
        _diagTries = 0;
        if (_diagHop > Config.HopLimit)
        {
            EndDiagnosis(false);
        }
    }

    private void EndDiagnosis(bool success)
    {
        if (_diagMode != 0)
        {
            _diagMode = 0;
            _timers.Stop(Timer.Diagnosis);
            _effects.Push(Effect.Completed, _diagToken, success ? 1 : 0);
        }
    }

    /// <summary>The boot of the node asked is known now.</summary>
    private void WakeDiagnosis(ushort destination)
    {
        if (_diagMode != 0 && _diagTarget == destination)
        {
            _diagTries = 0;
            _timers.Set(Timer.Diagnosis, _nowMs);
        }
    }

    private bool MayAnswer()
    {
        bool may = _nowMs - _lastDiagnosisMs >= DiagnosisPauseMs;
        _lastDiagnosisMs = may ? _nowMs : _lastDiagnosisMs;
        return may;
    }

    /// <summary>A service message ends here for its hop limit: perhaps a trace, which only its destination could read.</summary>
    private void AnswerWhereItEnds()
    {
        if (_header.Kind == MessageKind.Service && _header.IsWide && _header.Destination != MeshAddress.All && MayAnswer())
        {
            AnswerTrace(_header.Origin, _header.Destination, _header.Counter, _header.Boot, 0);
        }
    }

    private void AnswerTrace(ushort origin, ushort destination, uint counter, ushort originBoot, byte flags)
    {
        int route = _routes.Find(destination);
        _plain[0] = ServiceKind.TraceAnswer;
        _plain[DiagnosticFormat.OffsetFlags] = flags;
        Bytes.PutU32(_plain, DiagnosticFormat.OffsetCounter, counter);
        Bytes.PutU16(_plain, DiagnosticFormat.OffsetPrevious, AddressOf(_sender));
        Bytes.PutU16(_plain, DiagnosticFormat.OffsetLinkCost, _sender == NeighborTable.None ? (ushort)0 : (ushort)_neighbors.LinkCost(_sender));
        _plain[DiagnosticFormat.OffsetRssi] = _sender == NeighborTable.None ? (byte)0 : (byte)_neighbors.RssiDbm[_sender];
        _plain[DiagnosticFormat.OffsetHopLimit] = _header.HopLimit;
        Bytes.PutU16(_plain, DiagnosticFormat.OffsetNextHop, route == RouteTable.None ? (ushort)0 : AddressOf(_routes.NextHop(route)));
        Bytes.PutU16(
            _plain, DiagnosticFormat.OffsetMetric, route == RouteTable.None ? MeshConfig.InfiniteMetric : (ushort)_routes.Metric[route]);

        // A relay answers strangers too, bound to the boot that they name; that earns them no place in its table.
        int peer = _peers.FindOrSpare(origin);
        ComposeTo(MessageKind.Service, origin, peer, originBoot, (byte)MeshClass.Control, true, DiagnosticFormat.TraceAnswerLength);
    }

    private void ReceiveTrace(ushort origin)
    {
        if (MayAnswer())
        {
            AnswerTrace(origin, Address, _header.Counter, _header.Boot, DiagnosticFormat.FlagDestination);
        }
    }

    private void ReceiveTraceAnswer(int count, sbyte rssiDbm)
    {
        bool isMine = count == DiagnosticFormat.TraceAnswerLength && (_diagMode == ModePing || _diagMode == ModeTrace)
            && Bytes.GetU32(_plain, DiagnosticFormat.OffsetCounter) == _diagCounter;
        bool isEnd = isMine && (_plain[DiagnosticFormat.OffsetFlags] & DiagnosticFormat.FlagDestination) != 0;
        if (!isMine || (isEnd && _header.Origin != _diagTarget))
        {
            return;
        }

        DeliverDiagnosis(count, rssiDbm);
        if (isEnd || _diagMode == ModePing)
        {
            EndDiagnosis(isEnd);
            return;
        }

        _diagSilent = 0;
        _timers.Set(Timer.Diagnosis, _nowMs);
        NextHop();
    }

    private void ReceiveTableAnswer(int count, sbyte rssiDbm)
    {
        bool isMine = count >= DiagnosticFormat.TableHeaderLength && _diagMode == ModeTable && _header.Origin == _diagTarget
            && Bytes.GetU32(_plain, DiagnosticFormat.TableOffsetCounter) == _diagCounter && _plain[DiagnosticFormat.TableOffsetTable] == _diagTable;
        int rowLength = DiagnosticFormat.RowLength(_diagTable);
        if (!isMine || rowLength == 0)
        {
            return;
        }

        int total = Bytes.GetU16(_plain, DiagnosticFormat.TableOffsetTotal);
        int rows = (count - DiagnosticFormat.TableHeaderLength) / rowLength;
        DeliverDiagnosis(count, rssiDbm);
        _diagRow = (ushort)(_diagRow + rows);
        if (rows == 0 || _diagRow >= total)
        {
            EndDiagnosis(true);
            return;
        }

        // Not faster than it answers.
        _diagTries = 0;
        _timers.Set(Timer.Diagnosis, _nowMs + DiagnosisPauseMs);
    }

    private void DeliverDiagnosis(int count, sbyte rssiDbm)
    {
        int slot = Deliver(0, count, rssiDbm);
        _queue.FrameCounter[slot] = (uint)(_nowMs - _diagSentMs);
        _queue.Token[slot] = _diagToken;
        _queue.Tries[slot] = _diagMode == ModeTrace
            ? _diagHop : (byte)(Config.HopLimit - _plain[DiagnosticFormat.OffsetHopLimit] + 1);
    }

    private void EmitDiagnosis(int slot, MeshOutput output)
    {
        output.Kind = OutputKind.Diagnosis;
        output.Token = _queue.Token[slot];
        output.RoundTripMs = (int)_queue.FrameCounter[slot];
        output.Hops = _queue.Tries[slot];
        output.Length = _queue.BodyLength[slot];
        System.Array.Copy(_queue.Body, _queue.BodyOffset(slot), output.Buffer, 0, output.Length);
        _queue.Free(slot);
    }
}
