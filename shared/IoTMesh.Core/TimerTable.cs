namespace IoTMesh.Core;

/// <summary>What can be due in a node.</summary>
internal static class Timer
{
    public const int Beacon = 0;
    public const int Announce = 1;
    public const int Request = 2;
    public const int Ack = 3;
    public const int Queue = 4;
    public const int Probe = 5;
    public const int Pending = 6;
    public const int Custody = 7;
    public const int Watermark = 8;
    public const int Housekeeping = 9;
    public const int Diagnosis = 10;
    public const int Leaf = 11;
    public const int Join = 12;
    public const int Count = 13;
}

/// <summary>Deadlines indexed by <see cref="Timer"/>, ms; long.MaxValue is off.</summary>
internal sealed class TimerTable
{
    private readonly long[] _dueMs = new long[Timer.Count];

    internal TimerTable()
    {
        for (int i = 0; i < Timer.Count; i++)
        {
            _dueMs[i] = long.MaxValue;
        }
    }

    internal long this[int timer] => _dueMs[timer];

    internal void Set(int timer, long dueMs)
    {
        _dueMs[timer] = dueMs;
    }

    /// <summary>Moves the deadline forward in time, never back.</summary>
    internal void SetEarlier(int timer, long dueMs)
    {
        if (dueMs < _dueMs[timer])
        {
            _dueMs[timer] = dueMs;
        }
    }

    internal void Stop(int timer)
    {
        _dueMs[timer] = long.MaxValue;
    }

    internal bool IsDue(int timer, long nowMs)
    {
        return _dueMs[timer] <= nowMs;
    }

    internal long Earliest()
    {
        long[] dueMs = _dueMs;
        long earliest = dueMs[0];
        for (int i = 1; i < Timer.Count; i++)
        {
            if (dueMs[i] < earliest)
            {
                earliest = dueMs[i];
            }
        }

        return earliest;
    }
}
