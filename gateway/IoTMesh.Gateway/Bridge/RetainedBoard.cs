using IoTMesh.Mqtt;

namespace IoTMesh.Gateway.Bridge;

/// <summary>
/// The retained topics of the gateway: what each should say. One loop brings the broker to that state; while it is behind, only the
/// newest payload of a topic counts, so nothing piles up. After each connect everything is said again, because a broker may have
/// lost it.
/// </summary>
public sealed class RetainedBoard(IMqttClient client)
{
    private readonly Lock _gate = new();
    private readonly Dictionary<string, byte[]> _wanted = [];
    private readonly LinkedList<string> _dirty = new();
    private readonly HashSet<string> _isDirty = [];
    private readonly SemaphoreSlim _signal = new(0, 1);

    /// <summary>An empty payload removes the topic.</summary>
    public void Set(string topic, byte[] payload, bool evenIfSame = false)
    {
        lock (_gate)
        {
            if (!evenIfSame && _wanted.TryGetValue(topic, out byte[]? old) && old.AsSpan().SequenceEqual(payload))
            {
                return;
            }

            _wanted[topic] = payload;
            MarkDirty(topic);
        }

        Signal();
    }

    /// <summary>Says everything again.</summary>
    public void Refresh()
    {
        lock (_gate)
        {
            foreach (string topic in _wanted.Keys)
            {
                MarkDirty(topic);
            }
        }

        Signal();
    }

    /// <summary>Publishes until cancelled; waits while the broker is away.</summary>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        while (!cancellationToken.IsCancellationRequested)
        {
            await _signal.WaitAsync(cancellationToken);
            while (client.IsConnected && TryTake(out string topic, out byte[] payload))
            {
                try
                {
                    await client.PublishAsync(new MqttMessage(topic, payload, Qos: 1, Retain: true), cancellationToken);
                    Forget(topic, payload);
                }
                catch (MqttException)
                {
                    // Refresh comes with the next connect; a refused topic would be refused again.
                    break;
                }
            }
        }
    }

    private bool TryTake(out string topic, out byte[] payload)
    {
        lock (_gate)
        {
            topic = "";
            payload = [];
            if (_dirty.First is null)
            {
                return false;
            }

            topic = _dirty.First.Value;
            _dirty.RemoveFirst();
            _isDirty.Remove(topic);
            payload = _wanted[topic];
            return true;
        }
    }

    // A removal is over only when the broker has it: until then each connect must say it again.
    private void Forget(string topic, byte[] payload)
    {
        lock (_gate)
        {
            if (payload.Length == 0 && !_isDirty.Contains(topic))
            {
                _wanted.Remove(topic);
            }
        }
    }

    private void MarkDirty(string topic)
    {
        if (_isDirty.Add(topic))
        {
            _dirty.AddLast(topic);
        }
    }

    private void Signal()
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
}
