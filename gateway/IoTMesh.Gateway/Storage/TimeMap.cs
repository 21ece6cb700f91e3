namespace IoTMesh.Gateway.Storage;

/// <summary>
/// Turns the uptime at which a reading was measured into UTC. For each (device, boot) it estimates when that boot began: the
/// least (arrival - uptime at departure) seen, because a path only ever adds delay. The estimate may creep up by
/// <see cref="DriftPpm"/> so that a slow crystal does not hold it back, and starts again when a sample is further off
/// than any path delay (the device's uptime jumped). Within a boot, times never run against sequence numbers.
/// Not thread-safe: the storage writer owns it.
/// </summary>
public sealed class TimeMap
{
    /// <summary>Crystals of boards are within 40 ppm; with temperature, 100.</summary>
    public const int DriftPpm = 100;

    /// <summary>Longer than any frame travels, ms.</summary>
    public const long PathDelayMsMax = 600_000;

    private const long ClockStepMs = 2_000;

    private readonly Dictionary<(string Device, ushort Boot), BootClock> _clocks = [];
    private long? _wallOffsetMs;

    /// <summary>State of one boot, kept in the registry.</summary>
    public sealed class BootClock
    {
        public long EpochMs;
        public long AtMs;
        public uint LastSeq;
        public long LastTimeMs;
        public bool IsChanged;
    }

    public void Restore(string device, ushort boot, BootClock clock)
    {
        _clocks[(device, boot)] = clock;
    }

    /// <summary>
    /// Tells how the wall clock stands against a monotonic one. A step (a board without battery clock hears the time from the
    /// network after its start) moves all estimates along, so that they do not stick to the wrong time.
    /// </summary>
    public void NoteWallClock(long wallMs, long monotonicMs)
    {
        long offset = wallMs - monotonicMs;
        long step = _wallOffsetMs is null ? 0 : offset - _wallOffsetMs.Value;
        _wallOffsetMs = offset;
        if (Math.Abs(step) < ClockStepMs)
        {
            return;
        }

        foreach (BootClock clock in _clocks.Values)
        {
            clock.EpochMs += step;
            clock.AtMs += step;
            clock.LastTimeMs += step;
            clock.IsChanged = true;
        }
    }

    /// <summary>When the reading was measured: UTC, ms since 1970.</summary>
    public long Map(string device, Delivery reading)
    {
        long sample = reading.ArrivedMs - reading.OriginUptimeMs;
        if (!_clocks.TryGetValue((device, reading.Boot), out BootClock? clock))
        {
            clock = new BootClock { EpochMs = sample, AtMs = reading.ArrivedMs };
            _clocks.Add((device, reading.Boot), clock);
        }
        else if (reading.IsKept)
        {
            // Nobody knows how long the node was without power: what was heard of that boot itself is better.
            clock.IsChanged = true;
            return Order(clock, reading.ReadingSeq, clock.EpochMs + reading.MeasuredUptimeMs, false);
        }

        long passed = Math.Max(0, reading.ArrivedMs - clock.AtMs);
        long crept = clock.EpochMs + (passed * DriftPpm / 1_000_000);
        bool isFar = Math.Abs(sample - clock.EpochMs) > PathDelayMsMax + (passed / 100);
        clock.EpochMs = isFar ? sample : Math.Min(sample, crept);
        clock.AtMs = Math.Max(clock.AtMs, reading.ArrivedMs);
        clock.IsChanged = true;
        return Order(clock, reading.ReadingSeq, clock.EpochMs + reading.MeasuredUptimeMs, isFar);
    }

    /// <summary>The clocks that changed since the last call, with their keys.</summary>
    public IEnumerable<(string Device, ushort Boot, BootClock Clock)> TakeChanged()
    {
        foreach (((string device, ushort boot), BootClock clock) in _clocks)
        {
            if (clock.IsChanged)
            {
                clock.IsChanged = false;
                yield return (device, boot, clock);
            }
        }
    }

    private static long Order(BootClock clock, uint seq, long timeMs, bool isFar)
    {
        if (seq < clock.LastSeq)
        {
            return isFar ? timeMs : Math.Min(timeMs, clock.LastTimeMs);
        }

        clock.LastSeq = seq;
        clock.LastTimeMs = isFar ? timeMs : Math.Max(timeMs, clock.LastTimeMs);
        return clock.LastTimeMs;
    }
}
