namespace IoTMesh.Core;

/// <summary>The Trickle algorithm (RFC 6206 section 4.2). Times in ms.</summary>
internal sealed class TrickleTimer
{
    private const int AloneMaxMs = 8_000;
    private readonly int _minMs;
    private readonly int _maxMs;
    private readonly int _redundancy;
    private readonly Prng _prng;
    private int _intervalMs;
    private int _heard;
    private long _endMs;
    private bool _fired;

    internal TrickleTimer(int minMs, int maxMs, int redundancy, Prng prng)
    {
        _minMs = minMs;
        _maxMs = maxMs;
        _redundancy = redundancy;
        _prng = prng;
    }

    /// <summary>When <see cref="HandleTimeout"/> is due.</summary>
    internal long DueMs { get; private set; }

    internal void Start(long nowMs)
    {
        _intervalMs = _minMs;
        BeginInterval(nowMs);
    }

    /// <summary>Step 6: an inconsistency was heard or made.</summary>
    internal void Reset(long nowMs)
    {
        if (_intervalMs > _minMs)
        {
            Start(nowMs);
        }
    }

    /// <summary>Step 3: a consistent transmission was heard.</summary>
    internal void HandleConsistent()
    {
        _heard++;
    }

    /// <summary>True where the node must transmit now (step 4); at an interval's end the next one begins (step 5).</summary>
    /// <param name="isAlone">Nobody answers: the next interval is 8 s at most.</param>
    internal bool HandleTimeout(long nowMs, bool isAlone = false)
    {
        if (nowMs < DueMs)
        {
            return false;
        }

        if (!_fired)
        {
            _fired = true;
            DueMs = _endMs;
            return _heard < _redundancy;
        }

        int maxMs = isAlone && _maxMs > AloneMaxMs ? AloneMaxMs : _maxMs;
        _intervalMs = _intervalMs * 2 > maxMs ? maxMs : _intervalMs * 2;
        BeginInterval(nowMs);
        return false;
    }

    private void BeginInterval(long nowMs)
    {
        _heard = 0;
        _fired = false;
        _endMs = nowMs + _intervalMs;
        DueMs = nowMs + (_intervalMs / 2) + _prng.Next(_intervalMs / 2);
    }
}
