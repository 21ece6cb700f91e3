namespace IoTMesh.Mqtt.Client;

/// <summary>
/// Calls the handler for one message after the other. While the handler completes at once, it runs on the reader's own turn;
/// while it awaits (perhaps an acknowledgement that this same connection must bring), messages wait here and reading goes on.
/// </summary>
/// <param name="waitingMax">QoS 0 messages that may wait.</param>
/// <param name="handle">Never throws.</param>
internal sealed class Inbox(int waitingMax, Func<ClientEvent, ValueTask> handle)
{
    private const int WaitForRoomMs = 250;

    private readonly Lock _gate = new();
    private readonly Queue<ClientEvent> _waiting = new();
    private TaskCompletionSource? _room;
    private bool _busy;
    private bool _stuck;
    private long _dropped;

    public long Dropped => Interlocked.Read(ref _dropped);

    /// <summary>Handles a message or lets it wait; QoS 0 far beyond the bound is dropped (QoS 1 and 2 are bounded by the receive maximum).</summary>
    public void Take(in ClientEvent received)
    {
        lock (_gate)
        {
            if (_busy)
            {
                if (received.Message!.Qos == 0 && _waiting.Count >= waitingMax * 2)
                {
                    Interlocked.Increment(ref _dropped);
                }
                else
                {
                    _waiting.Enqueue(received);
                }

                return;
            }

            _busy = true;
        }

        ValueTask task = handle(received);
        if (task.IsCompletedSuccessfully)
        {
            lock (_gate)
            {
                _busy = false;
            }

            return;
        }

        _ = DrainAsync(task);
    }

    /// <summary>Between two reads: holds the reader back while a handler that makes progress is behind; not while it is stuck.</summary>
    public async ValueTask WaitForRoomAsync()
    {
        Task room;
        lock (_gate)
        {
            if (_waiting.Count < waitingMax || _stuck)
            {
                return;
            }

            _room ??= new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            room = _room.Task;
        }

        if (await Task.WhenAny(room, Task.Delay(WaitForRoomMs)).ConfigureAwait(false) != room)
        {
            lock (_gate)
            {
                _stuck = true;
            }
        }
    }

    private async Task DrainAsync(ValueTask first)
    {
        await first.ConfigureAwait(false);
        while (true)
        {
            ClientEvent next;
            lock (_gate)
            {
                _stuck = false;
                if (_waiting.Count <= waitingMax / 2)
                {
                    _room?.TrySetResult();
                    _room = null;
                }

                if (!_waiting.TryDequeue(out next))
                {
                    _busy = false;
                    return;
                }
            }

            await handle(next).ConfigureAwait(false);
        }
    }
}
