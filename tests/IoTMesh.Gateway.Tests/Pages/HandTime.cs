namespace IoTMesh.Gateway.Tests.Pages;

/// <summary>A clock that the test moves.</summary>
public sealed class HandTime : TimeProvider
{
    private long _ticks = TimeSpan.TicksPerSecond;

    public override long TimestampFrequency => TimeSpan.TicksPerSecond;

    public override long GetTimestamp() => _ticks;

    public void Advance(TimeSpan by) => _ticks += by.Ticks;
}
