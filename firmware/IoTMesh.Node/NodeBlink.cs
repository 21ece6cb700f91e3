namespace IoTMesh.Node;

/// <summary>The LED: what <c>led</c> says, or blinking for some seconds so that a person finds the board.</summary>
internal sealed class NodeBlink
{
    internal const int IdentifySeconds = 10;
    private const int HalfPeriodMs = 250;
    private const int MsPerSecond = 1_000;

    private readonly IBoard _board;
    private long _endMs = long.MinValue;
    private bool _isLit;

    internal NodeBlink(IBoard board)
    {
        _board = board;
    }

    /// <summary>What was set last; blinking does not change it.</summary>
    internal bool IsOn { get; private set; }

    internal long NextDeadlineMs { get; private set; } = long.MaxValue;

    internal void Set(bool on)
    {
        IsOn = on;
        _isLit = on;
        NextDeadlineMs = long.MaxValue;
        _board.SetLed(on);
    }

    internal void Identify(long nowMs)
    {
        _endMs = nowMs + (IdentifySeconds * MsPerSecond);
        NextDeadlineMs = nowMs;
    }

    internal void HandleTimeout(long nowMs)
    {
        if (nowMs < NextDeadlineMs)
        {
            return;
        }

        if (nowMs >= _endMs)
        {
            Set(IsOn);
            return;
        }

        NextDeadlineMs = nowMs + HalfPeriodMs;
        _isLit = !_isLit;
        _board.SetLed(_isLit);
    }
}
