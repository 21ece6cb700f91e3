using System.IO.Pipelines;
using IoTMesh.Mqtt.Codec;

namespace IoTMesh.Mqtt.Session;

/// <summary>
/// Writes a connection's output without a thread of its own: whoever appends to <see cref="Buffer"/> under the gate calls
/// <see cref="Schedule"/>; a pool thread then writes everything that has come together in one go.
/// </summary>
internal sealed class OutputPump(Lock gate, PipeWriter writer) : IThreadPoolWorkItem
{
    private bool _running;
    private bool _closing;
    private bool _broken;
    private TaskCompletionSource? _room;

    /// <summary>Only under the gate.</summary>
    public OutputBuffer Buffer { get; } = new();

    /// <summary>Somebody has appended and will call <see cref="Schedule"/>. Only under the gate.</summary>
    public bool IsTouched { get; set; }

    /// <summary>Called under the gate when the buffer has been taken for writing, so that more can be put in.</summary>
    public Action? Drained { get; set; }

    /// <summary>Called once, outside the gate: all is written after <see cref="CloseAfterWriting"/>, or the connection is broken.</summary>
    public Action? Closed { get; set; }

    /// <summary>Call under the gate or not, after appending.</summary>
    public void Schedule()
    {
        lock (gate)
        {
            IsTouched = false;
            if (_running || _broken || (Buffer.Count == 0 && !_closing))
            {
                return;
            }

            _running = true;
        }

        ThreadPool.UnsafeQueueUserWorkItem(this, preferLocal: false);
    }

    public void CloseAfterWriting()
    {
        lock (gate)
        {
            _closing = true;
        }

        Schedule();
    }

    /// <summary>Completes when the buffer has next been emptied, or at once where it holds less than the given bytes.</summary>
    public Task WaitForRoom(int bytes)
    {
        lock (gate)
        {
            if (Buffer.Count < bytes || _broken)
            {
                return Task.CompletedTask;
            }

            _room ??= new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            return _room.Task;
        }
    }

    void IThreadPoolWorkItem.Execute() => _ = RunAsync();

    private async Task RunAsync()
    {
        try
        {
            while (TryTake(out byte[] bytes, out int count))
            {
                try
                {
                    FlushResult result = await writer.WriteAsync(bytes.AsMemory(0, count)).ConfigureAwait(false);
                    if (result.IsCompleted || result.IsCanceled)
                    {
                        Break();
                        return;
                    }
                }
                finally
                {
                    OutputBuffer.Return(bytes);
                }
            }
        }
        catch (Exception e) when (e is IOException or InvalidOperationException or ObjectDisposedException or OperationCanceledException)
        {
            Break();
        }
    }

    private bool TryTake(out byte[] bytes, out int count)
    {
        bytes = [];
        count = 0;
        lock (gate)
        {
            if (_broken)
            {
                return false;
            }

            if (Buffer.Count > 0)
            {
                bytes = Buffer.Take(out count);
                _room?.TrySetResult();
                _room = null;
                Drained?.Invoke();
                return true;
            }

            _running = false;
            if (!_closing)
            {
                return false;
            }
        }

        Break();
        return false;
    }

    private void Break()
    {
        lock (gate)
        {
            if (_broken)
            {
                return;
            }

            _broken = true;
            _running = false;
            OutputBuffer.Return(Buffer.Take(out _));
            _room?.TrySetResult();
            _room = null;
        }

        Closed?.Invoke();
    }
}
