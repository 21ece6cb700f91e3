using System.Runtime.InteropServices;

namespace IoTMesh.Gateway.CommandLine;

/// <summary>Turns Ctrl-C and the service manager's request to stop into a token; a second one ends the process at once.</summary>
internal sealed class Stopping : IDisposable
{
    private readonly CancellationTokenSource _source = new();
    private readonly List<PosixSignalRegistration> _registrations = [];
    private int _signals;

    internal Stopping()
    {
        foreach (PosixSignal signal in (PosixSignal[])[PosixSignal.SIGINT, PosixSignal.SIGTERM, PosixSignal.SIGHUP])
        {
            _registrations.Add(PosixSignalRegistration.Create(signal, OnSignal));
        }
    }

    internal CancellationToken Token => _source.Token;

    public void Dispose()
    {
        _registrations.ForEach(r => r.Dispose());
        _source.Dispose();
    }

    /// <summary>Waits for a signal, or for that long.</summary>
    internal async Task WaitAsync(TimeSpan? limit = null)
    {
        try
        {
            await Task.Delay(limit ?? Timeout.InfiniteTimeSpan, Token);
        }
        catch (OperationCanceledException)
        {
            // Asked to stop.
        }
    }

    private void OnSignal(PosixSignalContext context)
    {
        if (Interlocked.Increment(ref _signals) > 1)
        {
            return;
        }

        context.Cancel = true;
        _source.Cancel();
    }
}
