using System.Collections.Concurrent;
using System.Threading.Channels;
using IoTMesh.Core;
using IoTMesh.Driver;
using IoTMesh.Gateway.Storage;

namespace IoTMesh.Gateway.Mesh;

/// <summary>
/// The gateway on top of its mesh node. Runs on the driver's thread and never waits there: readings go to the store's bounded
/// channel, everything else to <see cref="Messages"/>; what a full channel refuses is counted, and a reading that is refused stays in its
/// node's custody. Other threads send through <see cref="TrySend"/> and give readings free through <see cref="Release"/>.
/// </summary>
public sealed partial class MeshService : IMeshApplication, IDisposable
{
    private const int MessagesMax = 4096;
    private const int InboxMax = 256;
    private const int SnapshotIntervalMs = 1_000;
    private const int TimeIntervalMs = 10_000;
    private const int StopTimeoutMs = 2_000;

    private readonly Channel<Delivery> _messages = Channel.CreateBounded<Delivery>(new BoundedChannelOptions(MessagesMax) { SingleReader = true });
    private readonly ConcurrentQueue<(ushort Origin, ushort Boot, uint Seq)> _releases = new();
    private readonly ConcurrentQueue<(byte Table, TaskCompletionSource<IReadOnlyList<DiagnosisAnswer>> Read)> _ownTables = new();
    private readonly Dictionary<int, int> _tagsByToken = [];
    private readonly GatewayStore _store;
    private readonly TimeProvider _time;
    private readonly MeshDriver _driver;
    private volatile MeshSnapshot _snapshot = MeshSnapshot.Empty;
    private long _nextSnapshotMs;
    private long _nextTimeMs;
    private long _messagesRefused;

    /// <param name="node">A gateway's node, not started. Its peers are restored from the store here.</param>
    public MeshService(MeshNode node, ILink link, IClock clock, IMeshStorage storage, GatewayStore store, TimeProvider time)
    {
        _store = store;
        _time = time;
        Address = node.Address;
        foreach (PeerState peer in store.LoadPeers())
        {
            node.RestorePeer(peer.Address, peer.Boot, peer.Counter, peer.Watermark);
            long uptimeMs = time.GetUtcNow().ToUnixTimeMilliseconds() - (peer.EpochMs ?? long.MaxValue);
            node.RestoreUptime(peer.Address, uptimeMs, clock.NowMs);
            foreach (uint seq in peer.Beyond)
            {
                _releases.Enqueue((peer.Address, peer.Boot, seq));
            }
        }

        _driver = new MeshDriver(node, link, clock, storage, this, InboxMax);
        store.Committed += Release;
    }

    /// <summary>A posted message ended: its tag, and whether its destination confirmed it. Raised on the mesh thread: return at once.</summary>
    public event Action<int, bool>? SendEnded;

    /// <summary>An answer to a diagnosis: its tag and what came. Raised on the mesh thread: return at once.</summary>
    public event Action<int, DiagnosisAnswer>? DiagnosisAnswered;

    /// <summary>Raised on the mesh thread with each new snapshot: return at once.</summary>
    public event Action<MeshSnapshot>? SnapshotTaken;

    public ushort Address { get; }

    /// <summary>Messages other than readings, in the order of their arrival.</summary>
    public ChannelReader<Delivery> Messages => _messages.Reader;

    /// <summary>Messages lost because the service did not keep up.</summary>
    public long MessagesRefused => Interlocked.Read(ref _messagesRefused);

    public MeshSnapshot Snapshot => _snapshot;

    /// <summary>Exceptions that the driver survived; each is a defect.</summary>
    public int Faults => _driver.ApplicationFaults + _driver.DriverFaults;

    public Exception? LastFault => _driver.LastFault;

    /// <inheritdoc/>
    public long NextDeadlineMs => _releases.IsEmpty && _ownTables.IsEmpty && _keyWork.IsEmpty ? Math.Min(_nextSnapshotMs, _nextRotationMs) : 0;

    public void Start()
    {
        _driver.Start();
    }

    /// <summary>Posts a confirmed message to a node; never waits. False when too many are waiting.</summary>
    /// <param name="tag">Comes back with <see cref="SendEnded"/>.</param>
    public bool TrySend(ushort destination, byte port, byte[] payload, int count, int tag)
    {
        return _driver.TrySend(destination, port, MeshClass.Control, true, payload, 0, count, tag);
    }

    /// <summary>Posts a question to any node; never waits. False when too many are waiting.</summary>
    /// <param name="tag">Comes back with <see cref="DiagnosisAnswered"/> and in the end with <see cref="SendEnded"/>.</param>
    public bool TryDiagnose(DiagnosisKind kind, ushort destination, int tag)
    {
        return _driver.TryDiagnose(kind, destination, tag);
    }

    /// <summary>The gateway's own table (a <see cref="DiagnosticTable"/>), as another node would get it over the mesh.</summary>
    public Task<IReadOnlyList<DiagnosisAnswer>> ReadOwnTableAsync(byte table)
    {
        var read = new TaskCompletionSource<IReadOnlyList<DiagnosisAnswer>>(TaskCreationOptions.RunContinuationsAsynchronously);
        _ownTables.Enqueue((table, read));
        _driver.Wake();
        return read.Task;
    }

    public void Dispose()
    {
        _store.Committed -= Release;
        _driver.Stop(StopTimeoutMs);
        _messages.Writer.TryComplete();
        _joins.Writer.TryComplete();
    }

    /// <inheritdoc/>
    public void HandleStarted(long nowMs, MeshDriver driver)
    {
        _nextSnapshotMs = nowMs;
    }

    /// <inheritdoc/>
    public void HandleOutput(long nowMs, MeshOutput output)
    {
        switch (output.Kind)
        {
            case OutputKind.Deliver:
                Deliver(output);
                break;
            case OutputKind.SendCompleted:
                if (_tagsByToken.Remove(output.Token, out int tag))
                {
                    SendEnded?.Invoke(tag, output.Success);
                }

                break;
            case OutputKind.Diagnosis:
                if (_tagsByToken.TryGetValue(output.Token, out int asked))
                {
                    DiagnosisAnswered?.Invoke(asked, DiagnosisAnswer.Read(output));
                }

                break;
            case OutputKind.NeighborChanged:
                _nextSnapshotMs = nowMs;
                break;
            case OutputKind.Joined or OutputKind.KeyTaken:
                HandleMembership(nowMs, output);
                break;
            default:
                break;
        }
    }

    /// <inheritdoc/>
    public void HandlePosted(long nowMs, int tag, SendResult result, int token)
    {
        if (result == SendResult.Accepted)
        {
            _tagsByToken[token] = tag;
        }
        else
        {
            SendEnded?.Invoke(tag, false);
        }
    }

    /// <inheritdoc/>
    public void HandleTimeout(long nowMs)
    {
        while (_releases.TryDequeue(out var r))
        {
            _driver.Node.ReleaseCustody(nowMs, r.Origin, r.Boot, r.Seq);
        }

        while (_ownTables.TryDequeue(out var asked))
        {
            asked.Read.TrySetResult(ReadOwnTable(asked.Table));
        }

        StepKeys(nowMs);
        if (nowMs >= _nextTimeMs)
        {
            _nextTimeMs = nowMs + TimeIntervalMs;
            _driver.Node.SetTime(nowMs, _time.GetUtcNow().ToUnixTimeMilliseconds());
        }

        if (nowMs >= _nextSnapshotMs)
        {
            _nextSnapshotMs = nowMs + SnapshotIntervalMs;
            _snapshot = MeshSnapshot.Take(_driver.Node);
            SnapshotTaken?.Invoke(_snapshot);
        }
    }

    private List<DiagnosisAnswer> ReadOwnTable(byte table)
    {
        List<DiagnosisAnswer> parts = [];
        byte[] buffer = new byte[_driver.Node.Config.MaxPayloadLength];
        for (int first = 0; ;)
        {
            TableAnswer part = Diagnosis.ReadTable(buffer, _driver.Node.ReadTable(table, first, buffer))!;
            parts.Add(new DiagnosisAnswer(Address, 0, 0, null, part));
            first += part.Rows.Count;
            if (part.Rows.Count == 0 || first >= part.Total)
            {
                return parts;
            }
        }
    }

    private void Deliver(MeshOutput output)
    {
        var delivery = new Delivery(
            output.Origin, output.Port, output.Hops, output.RssiDbm, output.IsReading, output.Boot, output.ReadingSeq, output.MeasuredUptimeMs,
            output.OriginUptimeMs, output.Counter, output.Buffer.AsSpan(0, output.Length).ToArray(), _time.GetUtcNow().ToUnixTimeMilliseconds(),
            output.IsKept);
        if (delivery.IsReading)
        {
            _store.TryPost(delivery);
        }
        else if (!_messages.Writer.TryWrite(delivery))
        {
            Interlocked.Increment(ref _messagesRefused);
        }
    }

    // Called by the store's writer once the readings are durable.
    private void Release(IReadOnlyList<CommittedReading> committed)
    {
        foreach (CommittedReading c in committed)
        {
            _releases.Enqueue((c.Delivery.Origin, c.Delivery.Boot, c.Delivery.ReadingSeq));
        }

        _driver.Wake();
    }
}
