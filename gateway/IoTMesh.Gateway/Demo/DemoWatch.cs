using System.Text.Json;
using IoTMesh.Gateway.Storage;
using IoTMesh.Mqtt;

namespace IoTMesh.Gateway.Demo;

/// <summary>
/// Watches a demo from outside, as an MQTT subscriber: who reports, what arrives twice, and how long the readings of any living node
/// paused.
/// </summary>
internal sealed class DemoWatch(string site, IReadOnlyList<Device> devices, TimeProvider time) : IAsyncDisposable
{
    private readonly Lock _gate = new();
    private readonly Dictionary<string, ushort> _addresses = devices.ToDictionary(d => d.Id, d => d.Address);
    private readonly HashSet<(string Node, int Boot, long Seq)> _seen = [];
    private readonly Dictionary<ushort, long> _lastAt = [];
    private readonly HashSet<ushort> _dead = [];
    private readonly HashSet<ushort> _everSeen = [];
    private MqttClient? _client;
    private long _longestGapMs;
    private string _longestGapNode = "";

    /// <summary>Nodes that have reported.</summary>
    internal int Reporting
    {
        get
        {
            lock (_gate)
            {
                return _everSeen.Count;
            }
        }
    }

    internal long Readings { get; private set; }

    /// <summary>States that came with a (node, boot, seq) that was there already.</summary>
    internal long Twice { get; private set; }

    /// <summary>The longest pause between two readings of a node that was not killed.</summary>
    internal (double Seconds, string Node) LongestGap
    {
        get
        {
            lock (_gate)
            {
                return (_longestGapMs / 1000.0, _longestGapNode);
            }
        }
    }

    internal async Task StartAsync(int port)
    {
        _client = new MqttClient(new MqttClientOptions { Port = port, ClientId = "iotmesh-demo-watch" }) { MessageReceived = OnMessageAsync };
        await _client.SubscribeAsync($"iotmesh/v1/{site}/node/+/state", 1);
        _client.Start();
    }

    /// <summary>A node was killed: its silence counts no more until it reports again.</summary>
    internal void NoteKilled(ushort address)
    {
        lock (_gate)
        {
            _dead.Add(address);
            _lastAt.Remove(address);
        }
    }

    internal void NoteStarted(ushort address)
    {
        lock (_gate)
        {
            _dead.Remove(address);
        }
    }

    /// <summary>Counts pauses that have not ended yet.</summary>
    internal void Close()
    {
        lock (_gate)
        {
            foreach ((string node, ushort address) in _addresses)
            {
                NoteGap(node, address, time.GetUtcNow().ToUnixTimeMilliseconds());
            }
        }
    }

    public async ValueTask DisposeAsync()
    {
        if (_client is not null)
        {
            await _client.DisposeAsync();
        }
    }

    private ValueTask OnMessageAsync(MqttMessage message)
    {
        string[] levels = message.Topic.Split('/');
        if (levels.Length == 6 && _addresses.TryGetValue(levels[4], out ushort address) && !message.Payload.IsEmpty)
        {
            using JsonDocument state = JsonDocument.Parse(message.Payload);
            Count(levels[4], address, state.RootElement.GetProperty("boot").GetInt32(), state.RootElement.GetProperty("seq").GetInt64());
        }

        return ValueTask.CompletedTask;
    }

    private void Count(string node, ushort address, int boot, long seq)
    {
        lock (_gate)
        {
            if (!_seen.Add((node, boot, seq)))
            {
                Twice++;
                return;
            }

            Readings++;
            _everSeen.Add(address);
            if (!_dead.Contains(address))
            {
                long nowMs = time.GetUtcNow().ToUnixTimeMilliseconds();
                NoteGap(node, address, nowMs);
                _lastAt[address] = nowMs;
            }
        }
    }

    private void NoteGap(string node, ushort address, long nowMs)
    {
        if (_lastAt.TryGetValue(address, out long lastMs) && nowMs - lastMs > _longestGapMs)
        {
            _longestGapMs = nowMs - lastMs;
            _longestGapNode = node;
        }
    }
}
