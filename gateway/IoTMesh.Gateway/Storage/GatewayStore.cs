using System.Threading.Channels;
using Microsoft.Data.Sqlite;

namespace IoTMesh.Gateway.Storage;

/// <summary>What became of a delivered reading in a committed transaction.</summary>
/// <param name="IsNew">False for a copy of one that was there.</param>
public sealed record CommittedReading(Delivery Delivery, StoredReading Reading, bool IsNew);

/// <summary>
/// The gateway's database: registry, readings and outbox in one SQLite file, written by one thread in batches. A reading and its
/// outbox entry are one transaction; the unique key (device, boot, seq) drops copies for good. The mesh thread only ever posts to a
/// bounded channel: what does not fit or cannot be written is not released from its node's custody and comes again.
/// </summary>
public sealed partial class GatewayStore : IDisposable
{
    private const int InboxMax = 8192;
    private const int BatchMax = 512;
    private const long PruneIntervalMs = 600_000;
    private const int PruneMax = 5_000;

    private readonly Channel<Job> _inbox = Channel.CreateBounded<Job>(new BoundedChannelOptions(InboxMax) { SingleReader = true });
    private readonly SqliteConnection _connection;
    private readonly StoreWriter _writer;
    private readonly StoreReader _reader;
    private readonly Func<ushort, Device?> _findDevice;
    private readonly TimeProvider _time;
    private readonly int _outboxMax;
    private readonly long _keepMs;
    private readonly TimeMap _clocks = new();
    private readonly Dictionary<string, PeerTracker> _peers = [];
    private readonly string _file;
    private readonly long _startedAt;
    private Thread? _thread;
    private long _outboxDepth;
    private long _prunedAtMs;

    /// <param name="file">Created where it does not exist.</param>
    /// <param name="findDevice">The enrolled device with an address, or null. Called from the writer thread.</param>
    /// <param name="outboxMax">Readings that wait at most.</param>
    /// <param name="keepDays">Readings older than this are deleted.</param>
    public GatewayStore(string file, Func<ushort, Device?> findDevice, TimeProvider time, int outboxMax = 1_000_000, int keepDays = 30)
    {
        _file = file;
        _findDevice = findDevice;
        _time = time;
        _outboxMax = outboxMax;
        _keepMs = keepDays * 86_400_000L;
        _startedAt = time.GetTimestamp();
        _connection = Schema.Open(file, readOnly: false);
        _writer = new StoreWriter(_connection);
        _reader = new StoreReader(file);
        foreach ((string device, ushort boot, TimeMap.BootClock clock) in _reader.Boots())
        {
            _clocks.Restore(device, boot, clock);
        }

        _outboxDepth = _reader.OutboxState().Depth;
    }

    /// <summary>Raised on the writer thread after each commit that held readings.</summary>
    public event Action<IReadOnlyList<CommittedReading>>? Committed;

    /// <summary>A batch could not be written: the reason, as a sentence. Its readings stay with their nodes.</summary>
    public event Action<string>? Failed;

    public long OutboxDepth => Interlocked.Read(ref _outboxDepth);

    /// <summary>Copies of readings that were there already.</summary>
    public long Duplicates { get; private set; }

    /// <summary>Readings not taken: the inbox or the outbox was full, or their sender is not enrolled.</summary>
    public long Refused => Interlocked.Read(ref _refused);

    /// <summary>Why the last batch could not be written, or null after one that could.</summary>
    public string? LastFailure { get; private set; }

    private long _refused;

    private abstract record Job;

    private sealed record ReadingJob(Delivery Delivery) : Job;

    private sealed record AcknowledgeJob(IReadOnlyList<long> Numbers, TaskCompletionSource Done) : Job;

    private sealed record DeviceJob(Device Device, bool IsRemoval, TaskCompletionSource Done) : Job;

    private sealed record ChangeJob(Action<SqliteTransaction> Change, TaskCompletionSource Done) : Job;

    /// <summary>Starts the writer.</summary>
    public void Start()
    {
        foreach (PeerState peer in LoadPeers())
        {
            if (_findDevice(peer.Address) is { } device)
            {
                _peers[device.DeviceId] = new PeerTracker(peer.Boot, peer.Counter, peer.Watermark, peer.Beyond);
            }
        }

        _thread = new Thread(Write) { IsBackground = true, Name = "store" };
        _thread.Start();
    }

    /// <summary>Posts a reading; never waits. False: not taken, and so not to be released.</summary>
    public bool TryPost(Delivery reading)
    {
        if (_inbox.Writer.TryWrite(new ReadingJob(reading)))
        {
            return true;
        }

        Interlocked.Increment(ref _refused);
        return false;
    }

    /// <summary>Deletes outbox entries that the broker has acknowledged; completes when that is durable.</summary>
    public async Task AcknowledgeAsync(IReadOnlyList<long> numbers, CancellationToken cancellationToken = default)
    {
        var job = new AcknowledgeJob(numbers, new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously));
        await _inbox.Writer.WriteAsync(job, cancellationToken);
        await job.Done.Task.WaitAsync(cancellationToken);
    }

    /// <summary>Enrols a device or changes what is known of it.</summary>
    public async Task SaveDeviceAsync(Device device, CancellationToken cancellationToken = default)
    {
        var job = new DeviceJob(device, false, new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously));
        await _inbox.Writer.WriteAsync(job, cancellationToken);
        await job.Done.Task.WaitAsync(cancellationToken);
    }

    /// <summary>Forgets a device with its readings and what waits of it.</summary>
    public async Task RemoveDeviceAsync(Device device, CancellationToken cancellationToken = default)
    {
        var job = new DeviceJob(device, true, new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously));
        await _inbox.Writer.WriteAsync(job, cancellationToken);
        await job.Done.Task.WaitAsync(cancellationToken);
    }

    public IReadOnlyList<Device> LoadDevices()
    {
        return _reader.Devices();
    }

    public IReadOnlyList<PeerState> LoadPeers()
    {
        return _reader.Peers();
    }

    /// <summary>The oldest entries above a number, in the order of their commits.</summary>
    public IReadOnlyList<OutboxRow> ReadOutbox(long after, int limit)
    {
        return _reader.Outbox(after, limit);
    }

    public OutboxState ReadOutboxState()
    {
        return _reader.OutboxState();
    }

    /// <summary>Readings of a device measured in that span (UTC, ms), newest first.</summary>
    public IReadOnlyList<StoredReading> ReadReadings(Device device, long fromMs, long toMs, int limit)
    {
        return _reader.Readings(device.DeviceId, device.Address, fromMs, toMs, limit);
    }

    /// <summary>Writes a copy of the whole database to a file while the gateway runs.</summary>
    public void Backup(string file)
    {
        using SqliteConnection from = Schema.Open(_file, readOnly: true);
        using var to = new SqliteConnection(new SqliteConnectionStringBuilder { DataSource = file, Pooling = false }.ConnectionString);
        to.Open();
        from.BackupDatabase(to);
    }

    /// <summary>Writes what was posted, then closes.</summary>
    public void Dispose()
    {
        _inbox.Writer.TryComplete();
        _thread?.Join();
        _writer.Dispose();
        _connection.Dispose();
    }

    private void Write()
    {
        var batch = new List<Job>(BatchMax);
        while (_inbox.Reader.WaitToReadAsync().AsTask().GetAwaiter().GetResult())
        {
            batch.Clear();
            while (batch.Count < BatchMax && _inbox.Reader.TryRead(out Job? job))
            {
                batch.Add(job);
            }

            try
            {
                WriteBatch(batch);
            }
            catch (SqliteException e)
            {
                Reject(batch, $"{_file}: cannot be written: {e.Message}");
            }
        }
    }

    private void WriteBatch(List<Job> batch)
    {
        long nowMs = _time.GetUtcNow().ToUnixTimeMilliseconds();
        _clocks.NoteWallClock(nowMs, (long)_time.GetElapsedTime(_startedAt).TotalMilliseconds);
        var committed = new List<CommittedReading>();
        long depthChange = 0;
        using (SqliteTransaction transaction = _writer.Begin())
        {
            foreach (Job job in batch)
            {
                depthChange += Apply(transaction, job, nowMs, committed, OutboxDepth + depthChange);
            }

            SavePeers(transaction, committed);
            foreach ((string device, ushort boot, TimeMap.BootClock clock) in _clocks.TakeChanged())
            {
                _writer.SaveBoot(transaction, device, boot, clock);
            }

            Prune(transaction, nowMs);
            transaction.Commit();
        }

        LastFailure = null;
        Interlocked.Add(ref _outboxDepth, depthChange);
        Duplicates += committed.Count(c => !c.IsNew);
        foreach (Job job in batch)
        {
            Done(job)?.TrySetResult();
        }

        if (committed.Count > 0)
        {
            Committed?.Invoke(committed);
        }
    }

    private long Apply(SqliteTransaction transaction, Job job, long nowMs, List<CommittedReading> committed, long depth)
    {
        switch (job)
        {
            case ReadingJob reading:
                return ApplyReading(transaction, reading.Delivery, committed, depth);
            case AcknowledgeJob acknowledge:
                return -acknowledge.Numbers.Count(n => _writer.DeleteOutbox(transaction, n));
            case DeviceJob { IsRemoval: true } removal:
                _writer.DeleteDevice(transaction, removal.Device.DeviceId);
                _peers.Remove(removal.Device.DeviceId);
                return 0;
            case DeviceJob save:
                _writer.SaveDevice(transaction, save.Device, nowMs);
                return 0;
            case ChangeJob change:
                change.Change(transaction);
                return 0;
            default:
                throw new InvalidOperationException(job.GetType().Name);
        }
    }

    private long ApplyReading(SqliteTransaction transaction, Delivery delivery, List<CommittedReading> committed, long depth)
    {
        Device? device = _findDevice(delivery.Origin);
        if (device is null || depth >= _outboxMax)
        {
            Interlocked.Increment(ref _refused);
            return 0;
        }

        var reading = new StoredReading(
            device.DeviceId, delivery.Origin, delivery.Boot, delivery.ReadingSeq, _clocks.Map(device.DeviceId, delivery), delivery.ArrivedMs,
            delivery.Hops, delivery.RssiDbm, delivery.Payload);
        bool isNew = _writer.InsertReading(transaction, reading);
        if (isNew)
        {
            _writer.InsertOutbox(transaction, reading);
        }

        committed.Add(new CommittedReading(delivery, reading, isNew));
        return isNew ? 1 : 0;
    }

    private void SavePeers(SqliteTransaction transaction, List<CommittedReading> committed)
    {
        foreach (string device in committed.Select(c => c.Reading.DeviceId).Distinct())
        {
            if (!_peers.TryGetValue(device, out PeerTracker? peer))
            {
                _peers.Add(device, peer = new PeerTracker(0, 0, 0, []));
            }

            foreach (CommittedReading c in committed.Where(c => c.Reading.DeviceId == device))
            {
                peer.Commit(c.Delivery.Boot, c.Delivery.ReadingSeq, c.Delivery.Counter);
            }

            _writer.SavePeer(transaction, device, peer.Boot, peer.Counter, peer.Watermark);
        }
    }

    private void Prune(SqliteTransaction transaction, long nowMs)
    {
        if (nowMs - _prunedAtMs < PruneIntervalMs)
        {
            return;
        }

        // More than a batch is left over: go on with the next commit.
        _prunedAtMs = _writer.Prune(transaction, nowMs - _keepMs, PruneMax) < PruneMax ? nowMs : 0;
    }

    private void Reject(List<Job> batch, string reason)
    {
        foreach (Job job in batch)
        {
            Done(job)?.TrySetException(new StorageException(reason));
        }

        // The trackers may be ahead of the file now; readings not written were not released and come again.
        _peers.Clear();
        foreach (PeerState peer in TryLoadPeers())
        {
            if (_findDevice(peer.Address) is { } device)
            {
                _peers[device.DeviceId] = new PeerTracker(peer.Boot, peer.Counter, peer.Watermark, peer.Beyond);
            }
        }

        LastFailure = reason;
        Failed?.Invoke(reason);
    }

    private IReadOnlyList<PeerState> TryLoadPeers()
    {
        try
        {
            return LoadPeers();
        }
        catch (Exception e) when (e is SqliteException or StorageException)
        {
            return [];
        }
    }

    private static TaskCompletionSource? Done(Job job)
    {
        return job switch
        {
            AcknowledgeJob a => a.Done,
            DeviceJob d => d.Done,
            ChangeJob c => c.Done,
            _ => null,
        };
    }
}
