using IoTMesh.Core;

namespace IoTMesh.Node;

/// <summary>Seconds since the application started.</summary>
public sealed class UptimeSensor : ISensor
{
    private const int MsPerSecond = 1_000;
    private long _startMs = -1;

    public void Sample(long nowMs, ReadingWriter writer)
    {
        if (_startMs < 0)
        {
            _startMs = nowMs;
        }

        writer.AddGeneric(ReadingChannel.Uptime, 0, (nowMs - _startMs) / MsPerSecond);
    }
}
