using System;
using System.Threading;
using IoTMesh.Core;

namespace IoTMesh.Driver;

/// <summary>
/// Runs one <see cref="MeshNode"/> against a link, a clock and a storage, on one thread: waits for a frame or the next deadline,
/// hands both to the node and carries out its effects. Only that thread touches the node; other threads post work, which is
/// taken up within 20 ms, or at once where the link can be woken. No allocation after the constructor.
/// </summary>
public sealed class MeshDriver
{
    /// <summary>Longest wait where posted work cannot wake the link, ms.</summary>
    private const int PollIntervalMs = 20;

    /// <summary>Longest wait where it can, ms.</summary>
    private const int WakeableWaitMs = 500;

    // The device queues 6 datagrams a socket and drops the rest, so frames that wait are taken before anything else is done.
    private const int MaxFramesInARow = 8;

    private const int FaultPauseMs = 20;

    private readonly ILink _link;
    private readonly IWakeableLink _wakeable;
    private readonly IClock _clock;
    private readonly IMeshStorage _storage;
    private readonly IMeshApplication _application;
    private readonly DriverInbox _inbox;
    private readonly WorkItem _work;
    private readonly MeshOutput _output;
    private readonly byte[] _received;
    private readonly byte[] _noPayload = new byte[0];
    private readonly object _lock = new object();
    private Thread _thread;
    private bool _isStopping;

    /// <param name="node">Constructed with the counters record of <paramref name="storage"/>; not started.</param>
    /// <param name="inboxCapacity">Pieces of work that other threads may have waiting.</param>
    public MeshDriver(MeshNode node, ILink link, IClock clock, IMeshStorage storage, IMeshApplication application, int inboxCapacity)
    {
        Node = node;
        _link = link;
        _wakeable = link as IWakeableLink;
        _clock = clock;
        _storage = storage;
        _application = application;
        _inbox = new DriverInbox(inboxCapacity, node.Config.MaxPayloadLength, node.Config.MaxTransferLength);
        _work = new WorkItem(node.Config.MaxPayloadLength);
        int frameLength = node.Config.MaxFrameLength > link.MaxFrameLength ? node.Config.MaxFrameLength : link.MaxFrameLength;
        _output = new MeshOutput(node.Config.MaxTransferLength > frameLength ? node.Config.MaxTransferLength : frameLength);
        _received = new byte[frameLength];
    }

    /// <summary>The node; touch it from the driver's thread only, that is within <see cref="IMeshApplication"/> calls.</summary>
    public MeshNode Node { get; }

    /// <summary>Application calls that ended with an exception.</summary>
    public int ApplicationFaults { get; private set; }

    /// <summary>Link, storage or node calls that ended with an exception; each is a defect, and the loop goes on.</summary>
    public int DriverFaults { get; private set; }

    /// <summary>The last exception of either kind, or null.</summary>
    public Exception LastFault { get; private set; }

    /// <summary>Starts a thread that runs the loop until <see cref="Stop"/>.</summary>
    public void Start()
    {
        _thread = Platform.CreateThread(Run);
        _thread.Start();
    }

    /// <summary>Ends the loop and waits at most that long for its thread; true where it has ended. The link is closed by the loop.</summary>
    public bool Stop(int timeoutMs)
    {
        lock (_lock)
        {
            _isStopping = true;
        }

        Wake();
        return _thread == null || _thread.Join(timeoutMs);
    }

    /// <summary>The loop, on the caller's thread, until <see cref="Stop"/> is called on another one; closes the link at its end.</summary>
    public void Run()
    {
        Begin();
        while (!IsStopping())
        {
            RunOnce(_wakeable != null ? WakeableWaitMs : PollIntervalMs);
        }

        _link.Close();
    }

    /// <summary>Starts the node. Call it once, before the first <see cref="RunOnce"/>; <see cref="Run"/> does.</summary>
    public void Begin()
    {
        long nowMs = _clock.NowMs;
        Node.Start(nowMs);
        try
        {
            _application.HandleStarted(nowMs, this);
        }
        catch (Exception fault)
        {
            CountApplicationFault(fault);
        }

        CarryOut(nowMs);
    }

    /// <summary>One turn of the loop; waits for a frame at most until the next deadline and at most <paramref name="maxWaitMs"/>.</summary>
    public void RunOnce(int maxWaitMs)
    {
        try
        {
            ReceiveFrames(WaitMs(_clock.NowMs, maxWaitMs));
            long nowMs = _clock.NowMs;
            nowMs = TakeWork(nowMs);
            if (nowMs >= Node.NextDeadlineMs)
            {
                Node.HandleTimeout(nowMs);
            }

            nowMs = CarryOut(nowMs);
            if (nowMs >= _application.NextDeadlineMs)
            {
                NotifyTimeout(nowMs);
                CarryOut(nowMs);
            }
        }
        catch (Exception fault)
        {
            CountDriverFault(fault);

            // A fault that repeats at once must not take the whole processor.
            Thread.Sleep(FaultPauseMs);
        }
    }

    /// <summary>Posts a message, from any thread; <see cref="IMeshApplication.HandlePosted"/> tells what became of it.</summary>
    /// <returns>
    /// False when the inbox is full or the payload too long, also when one above <see cref="MeshConfig.MaxPayloadLength"/> is waiting.
    /// </returns>
    public bool TrySend(
        ushort destination, byte port, MeshClass messageClass, bool isConfirmed, byte[] payload, int offset, int count, int tag)
    {
        return Posted(_inbox.PutSend(WorkKind.Send, destination, port, messageClass, isConfirmed, payload, offset, count, tag));
    }

    /// <summary>Posts a reading, from any thread. False when the inbox is full.</summary>
    public bool TrySendReading(byte[] payload, int offset, int count, int tag)
    {
        return Posted(count <= Node.Config.MaxPayloadLength
            && _inbox.PutSend(WorkKind.SendReading, MeshAddress.AnyGateway, MeshPort.Reading, MeshClass.Normal, false, payload, offset, count, tag));
    }

    /// <summary>Gateways, from any thread: the outbox has committed that reading. False when the inbox is full: call again.</summary>
    public bool TryReleaseCustody(ushort origin, ushort boot, uint readingSeq)
    {
        return Posted(_inbox.PutRelease(origin, boot, readingSeq));
    }

    /// <summary>
    /// Asks a node, from any thread: Diagnosis outputs with the token that HandlePosted tells, then SendCompleted. False when the inbox is full.
    /// </summary>
    public bool TryDiagnose(DiagnosisKind kind, ushort destination, int tag)
    {
        return Posted(_inbox.PutSend(WorkKind.Diagnose, destination, (byte)kind, MeshClass.Control, false, _noPayload, 0, 0, tag));
    }

    /// <summary>Ends the link's wait, so that the loop looks at its inbox and deadlines now.</summary>
    public void Wake()
    {
        if (_wakeable != null)
        {
            _wakeable.Wake();
        }
    }

    private bool Posted(bool accepted)
    {
        if (accepted)
        {
            Wake();
        }

        return accepted;
    }

    private bool IsStopping()
    {
        lock (_lock)
        {
            return _isStopping;
        }
    }

    private int WaitMs(long nowMs, int maxWaitMs)
    {
        long deadlineMs = Node.NextDeadlineMs;
        long applicationMs = _application.NextDeadlineMs;
        if (applicationMs < deadlineMs)
        {
            deadlineMs = applicationMs;
        }

        if (_inbox.Count > 0 || deadlineMs <= nowMs)
        {
            return 0;
        }

        return deadlineMs - nowMs < maxWaitMs ? (int)(deadlineMs - nowMs) : maxWaitMs;
    }

    private void ReceiveFrames(int waitMs)
    {
        for (int i = 0; i < MaxFramesInARow; i++)
        {
            sbyte rssiDbm;
            int length = _link.Receive(_received, waitMs, out rssiDbm);
            if (length <= 0)
            {
                return;
            }

            long nowMs = _clock.NowMs;
            Node.HandleFrame(nowMs, _received, 0, length, rssiDbm);
            CarryOut(nowMs);
            waitMs = 0;
        }
    }

    private long TakeWork(long nowMs)
    {
        while (_inbox.Take(_work))
        {
            SendResult result;
            int token = 0;
            switch (_work.Kind)
            {
                case WorkKind.Send:
                    result = Node.Send(
                        nowMs, _work.Peer, _work.Port, _work.MessageClass, _work.IsConfirmed, _work.Payload, 0, _work.Length, out token);
                    break;
                case WorkKind.SendReading:
                    uint readingSeq;
                    result = Node.SendReading(nowMs, _work.Payload, 0, _work.Length, out readingSeq);
                    token = (int)readingSeq;
                    break;
                case WorkKind.Diagnose:
                    result = Diagnose(nowMs, (DiagnosisKind)_work.Port, _work.Peer, out token);
                    break;
                default:
                    Node.ReleaseCustody(nowMs, _work.Peer, _work.Boot, _work.ReadingSeq);
                    nowMs = CarryOut(nowMs);
                    continue;
            }

            try
            {
                _application.HandlePosted(nowMs, _work.Tag, result, token);
            }
            catch (Exception fault)
            {
                CountApplicationFault(fault);
            }

            nowMs = CarryOut(nowMs);
        }

        return nowMs;
    }

    private SendResult Diagnose(long nowMs, DiagnosisKind kind, ushort destination, out int token)
    {
        switch (kind)
        {
            case DiagnosisKind.Ping:
                return Node.Ping(nowMs, destination, out token);
            case DiagnosisKind.Trace:
                return Node.Trace(nowMs, destination, out token);
            default:
                byte table = (byte)(kind - DiagnosisKind.Counters + DiagnosticTable.Counters);
                return Node.RequestTable(nowMs, destination, table, out token);
        }
    }

    /// <summary>Carries out the node's effects; the time after them, since to store may take long and time never goes back.</summary>
    private long CarryOut(long nowMs)
    {
        while (Node.Poll(_output))
        {
            switch (_output.Kind)
            {
                case OutputKind.Transmit:
                    Node.HandleTransmitResult(nowMs, _output.Token, Transmit());
                    break;
                case OutputKind.Store:
                    bool isStored = Store();
                    nowMs = _clock.NowMs;
                    Node.HandleStored(nowMs, _output.Token, isStored);
                    break;
                default:
                    Notify(nowMs);
                    break;
            }
        }

        return nowMs;
    }

    // Link and storage must not throw; where one does, the node must still get the answer that it waits for.
    private bool Transmit()
    {
        try
        {
            return _link.Send(_output.LinkDestination, _output.Buffer, 0, _output.Length);
        }
        catch (Exception fault)
        {
            CountDriverFault(fault);
            return false;
        }
    }

    private bool Store()
    {
        try
        {
            return _output.Record >= StoreRecord.Custody
                ? _storage.Append(_output.Record, !_output.IsAppend, _output.Buffer, _output.Length)
                : _storage.Store(_output.Record, _output.Buffer, _output.Length);
        }
        catch (Exception fault)
        {
            CountDriverFault(fault);
            return false;
        }
    }

    private void Notify(long nowMs)
    {
        try
        {
            _application.HandleOutput(nowMs, _output);
        }
        catch (Exception fault)
        {
            CountApplicationFault(fault);
        }
    }

    private void NotifyTimeout(long nowMs)
    {
        try
        {
            _application.HandleTimeout(nowMs);
        }
        catch (Exception fault)
        {
            CountApplicationFault(fault);

            // The deadline that threw may stand still; without a pause the loop would spin on it.
            Thread.Sleep(FaultPauseMs);
        }
    }

    private void CountApplicationFault(Exception fault)
    {
        ApplicationFaults++;
        LastFault = fault;
    }

    private void CountDriverFault(Exception fault)
    {
        DriverFaults++;
        LastFault = fault;
    }
}
