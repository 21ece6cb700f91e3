using System.Diagnostics;
using System.Threading.Channels;
using IoTMesh.Gateway.Mesh;
using IoTMesh.Gateway.Site;
using IoTMesh.Gateway.Storage;
using IoTMesh.Mqtt;
using Microsoft.Data.Sqlite;

namespace IoTMesh.Gateway.Bridge;

/// <summary>
/// The one reader of the outbox: publishes readings with QoS 1, in the order of each node's sequence, a window of them at a time, and
/// deletes an entry only after the broker's acknowledgement. A reading is published again only where the gateway died between
/// an acknowledgement and the delete, or where a broker lost the session in which an acknowledgement was under way: the
/// payload's (node, boot, seq) names such a copy.
/// </summary>
public sealed class OutboxPublisher
{
    /// <summary>A reading older than this when published is marked historical, ms.</summary>
    public const long HistoricalAfterMs = 30_000;

    private const int ReadMax = 500;
    private static readonly TimeSpan _pollInterval = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan _retryPause = TimeSpan.FromMilliseconds(500);
    private static readonly double[] _secondsBounds = [0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5];

    private readonly GatewayStore _store;
    private readonly IMqttClient _client;
    private readonly Registry _registry;
    private readonly Topics _topics;
    private readonly string _gateway;
    private readonly int _window;
    private readonly TimeProvider _time;
    private readonly SemaphoreSlim _signal = new(0, 1);
    private readonly Channel<long> _acknowledged = Channel.CreateUnbounded<long>(new UnboundedChannelOptions { SingleReader = true });
    private readonly Dictionary<string, (ushort Boot, uint Seq)> _newest = [];
    private Task? _deletes;
    private long _published;
    private long _after;
    private int _failures;

    // Acknowledged by the broker, but not yet deleted durably.
    private int _toDelete;

    public OutboxPublisher(GatewayStore store, IMqttClient client, Registry registry, Topics topics, string gateway, int window, TimeProvider time)
    {
        _store = store;
        _client = client;
        _registry = registry;
        _topics = topics;
        _gateway = gateway;
        _window = window;
        _time = time;
        store.Committed += _ => Wake();
    }

    /// <summary>Readings that the broker has acknowledged since the start.</summary>
    public long Published => Interlocked.Read(ref _published);

    /// <summary>Time to the broker's acknowledgement, seconds.</summary>
    public Histogram PubackSeconds { get; } = new(_secondsBounds);

    /// <summary>Something changed: readings committed, or the broker is back.</summary>
    public void Wake()
    {
        try
        {
            _signal.Release();
        }
        catch (SemaphoreFullException)
        {
            // The loop is awake already.
        }
    }

    /// <summary>Publishes until cancelled.</summary>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        _deletes ??= DeleteAsync(cancellationToken);
        using var window = new SemaphoreSlim(_window, _window);
        while (!cancellationToken.IsCancellationRequested)
        {
            if (_client.IsConnected && Volatile.Read(ref _failures) > 0)
            {
                await StartOverAsync(window, cancellationToken);
            }

            IReadOnlyList<OutboxRow> rows = _client.IsConnected ? TryRead() : [];
            if (rows.Count == 0)
            {
                await _signal.WaitAsync(_pollInterval, cancellationToken);
                continue;
            }

            foreach (OutboxRow row in InOrder(rows))
            {
                await window.WaitAsync(cancellationToken);
                if (Volatile.Read(ref _failures) > 0)
                {
                    window.Release();
                    break;
                }

                _ = PublishAsync(row, window, cancellationToken);
            }

            _after = rows[^1].Number;
        }

        await _deletes;
    }

    /// <summary>The rows with those of each node in the order of measurement; nodes keep the places that their rows had.</summary>
    public static IEnumerable<OutboxRow> InOrder(IReadOnlyList<OutboxRow> rows)
    {
        var byNode = rows.GroupBy(r => r.Reading.DeviceId)
            .ToDictionary(g => g.Key, g => new Queue<OutboxRow>(g.OrderBy(r => r.Reading.Boot).ThenBy(r => r.Reading.Seq)));
        return rows.Select(r => byNode[r.Reading.DeviceId].Dequeue());
    }

    // A disk that fails now may work later; meanwhile the store's own writes tell of it.
    private IReadOnlyList<OutboxRow> TryRead()
    {
        try
        {
            return _store.ReadOutbox(_after, ReadMax);
        }
        catch (Exception e) when (e is SqliteException or StorageException)
        {
            return [];
        }
    }

    private async Task PublishAsync(OutboxRow row, SemaphoreSlim window, CancellationToken cancellationToken)
    {
        try
        {
            long startedAt = Stopwatch.GetTimestamp();
            if (CreateMessage(row.Reading) is { } message)
            {
                await _client.PublishAsync(message, cancellationToken);
                PubackSeconds.Observe(Stopwatch.GetElapsedTime(startedAt).TotalSeconds);
                Interlocked.Increment(ref _published);
            }

            Interlocked.Increment(ref _toDelete);
            _acknowledged.Writer.TryWrite(row.Number);
        }
        catch (Exception e) when (e is MqttException or OperationCanceledException)
        {
            Interlocked.Increment(ref _failures);
            Wake();
        }
        finally
        {
            window.Release();
        }
    }

    // After a failure: let what is under way end, make its deletes durable, and read again from the oldest entry that is left.
    private async Task StartOverAsync(SemaphoreSlim window, CancellationToken cancellationToken)
    {
        for (int i = 0; i < _window; i++)
        {
            await window.WaitAsync(cancellationToken);
        }

        while (Volatile.Read(ref _toDelete) > 0)
        {
            await Task.Delay(10, cancellationToken);
        }

        window.Release(_window);
        _after = 0;
        Volatile.Write(ref _failures, 0);
        if (_client.IsConnected)
        {
            await Task.Delay(_retryPause, cancellationToken);
        }
    }

    private async Task DeleteAsync(CancellationToken cancellationToken)
    {
        var numbers = new List<long>();
        while (await _acknowledged.Reader.WaitToReadAsync(cancellationToken))
        {
            while (numbers.Count < ReadMax && _acknowledged.Reader.TryRead(out long number))
            {
                numbers.Add(number);
            }

            try
            {
                await _store.AcknowledgeAsync(numbers, cancellationToken);
                Interlocked.Add(ref _toDelete, -numbers.Count);
                numbers.Clear();
            }
            catch (StorageException)
            {
                // The disk is full or broken: these are acknowledged and must not go out again, so they are kept until it works.
                await Task.Delay(_retryPause, cancellationToken);
                _acknowledged.Writer.TryWrite(numbers[0]);
                numbers.RemoveAt(0);
            }
        }
    }

    private MqttMessage? CreateMessage(StoredReading reading)
    {
        if (_registry.Find(reading.Address) is not { } device || device.DeviceId != reading.DeviceId)
        {
            // Removed meanwhile: nobody may see it any more.
            return null;
        }

        long ageMs = _time.GetUtcNow().ToUnixTimeMilliseconds() - reading.TimeMs;
        (ushort Boot, uint Seq) key = (reading.Boot, reading.Seq);

        // An older reading, come late from custody, must not replace the newest as what the broker keeps;
        // the newest itself may come here again, after a failure.
        bool isNewest = !_newest.TryGetValue(reading.DeviceId, out var newest) || key.CompareTo(newest) >= 0;
        if (isNewest)
        {
            _newest[reading.DeviceId] = key;
        }

        byte[] payload = Payloads.State(reading, _gateway, ageMs > HistoricalAfterMs);
        return new MqttMessage(_topics.Node(device.Id, "state"), payload, Qos: 1, Retain: isNewest) { ContentType = "application/json" };
    }
}
