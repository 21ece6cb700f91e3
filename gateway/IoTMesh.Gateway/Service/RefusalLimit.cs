using IoTMesh.Core;

namespace IoTMesh.Gateway.Service;

/// <summary>
/// Which refused joins are told: of a cause few a minute, and of a device with a cause one a minute. So who asks again and again, or under
/// made-up addresses, fills neither the log nor the audit. Not thread-safe.
/// </summary>
internal sealed class RefusalLimit
{
    internal const int PerMinute = 5;

    private const int DevicesMax = 256;
    private const long MinuteMs = 60_000;

    private readonly Dictionary<JoinVerdict, Cause> _causes = [];
    private readonly Dictionary<(JoinVerdict, ushort), long> _devices = [];

    private sealed class Cause
    {
        internal long SinceMs { get; set; } = long.MinValue / 2;

        internal int Told { get; set; }

        internal int Suppressed { get; set; }
    }

    /// <summary>True where this one is told.</summary>
    /// <param name="suppressed">How many of that cause were not told since the last that was.</param>
    internal bool MayTell(JoinVerdict verdict, ushort device, long nowMs, out int suppressed)
    {
        if (!_causes.TryGetValue(verdict, out Cause? cause))
        {
            _causes.Add(verdict, cause = new Cause());
        }

        if (nowMs - cause.SinceMs >= MinuteMs)
        {
            cause.SinceMs = nowMs;
            cause.Told = 0;
        }

        bool isRecent = _devices.TryGetValue((verdict, device), out long toldMs) && nowMs - toldMs < MinuteMs;
        if (cause.Told == PerMinute || isRecent)
        {
            cause.Suppressed++;
            suppressed = 0;
            return false;
        }

        if (_devices.Count == DevicesMax)
        {
            _devices.Clear();
        }

        _devices[(verdict, device)] = nowMs;
        cause.Told++;
        suppressed = cause.Suppressed;
        cause.Suppressed = 0;
        return true;
    }
}
