using System.Threading.Channels;

namespace IoTMesh.Simulation;

/// <summary>
/// A capture of what passes in real time. Whoever tells of a frame never waits for the disk: a thread of its own writes, and where it does
/// not keep up, frames are left out and counted. Thread-safe.
/// </summary>
public sealed class LiveCapture : IFrameWatch, IDisposable
{
    private const int QueuedMax = 4_096;
    private static readonly TimeSpan _flushEvery = TimeSpan.FromSeconds(1);
    private readonly Stream _stream;
    private readonly PcapngWriter _writer;
    private readonly Channel<Captured> _queue = Channel.CreateBounded<Captured>(
        new BoundedChannelOptions(QueuedMax) { SingleReader = true, FullMode = BoundedChannelFullMode.Wait });

    private readonly Task _writing;
    private long _leftOut;

    /// <param name="stream">Is owned.</param>
    /// <param name="name">Of the interface, for people.</param>
    /// <param name="description">Where the frames come from.</param>
    public LiveCapture(Stream stream, string name, string description)
    {
        _stream = stream;
        _writer = new PcapngWriter(stream, name, description);
        _stream.Flush();
        _writing = Task.Run(WriteAsync);
    }

    /// <summary>Microseconds since 1970, UTC.</summary>
    public static long UtcUs => (DateTime.UtcNow - DateTime.UnixEpoch).Ticks / TimeSpan.TicksPerMicrosecond;

    /// <summary>Frames written so far.</summary>
    public long Frames => _writer.Frames;

    /// <summary>Frames that are not in the capture: the disk was too slow or full.</summary>
    public long LeftOut => Interlocked.Read(ref _leftOut);

    /// <summary>Why it stopped writing; null while it does not.</summary>
    public string? Problem { get; private set; }

    public void FrameEnded(in AirFrame frame)
    {
        Captured captured = new(
            frame.EndUs, frame.Transmitter, frame.LinkDestination, frame.Bytes.ToArray(), frame.Receptions.ToArray(), frame.IsCutShort);
        if (!_queue.Writer.TryWrite(captured))
        {
            Interlocked.Increment(ref _leftOut);
        }
    }

    /// <summary>Writes what is waiting and closes the stream.</summary>
    public void Dispose()
    {
        _queue.Writer.TryComplete();
        _writing.GetAwaiter().GetResult();
        try
        {
            _writer.Dispose();
        }
        catch (IOException error)
        {
            Problem ??= error.Message;
        }
    }

    private async Task WriteAsync()
    {
        long flushed = Environment.TickCount64;
        await foreach (Captured captured in _queue.Reader.ReadAllAsync())
        {
            try
            {
                if (Problem is not null)
                {
                    Interlocked.Increment(ref _leftOut);
                    continue;
                }

                _writer.FrameEnded(new AirFrame(
                    captured.EndUs, captured.Transmitter, captured.LinkDestination, captured.Bytes, captured.Receptions, captured.IsCutShort));
                if (Environment.TickCount64 - flushed >= _flushEvery.TotalMilliseconds)
                {
                    flushed = Environment.TickCount64;
                    await _stream.FlushAsync();
                }
            }
            catch (IOException error)
            {
                Problem = error.Message;
                Interlocked.Increment(ref _leftOut);
            }
        }
    }

    private sealed record Captured(
        long EndUs, ushort Transmitter, ushort LinkDestination, byte[] Bytes, Reception[] Receptions, bool IsCutShort);
}
