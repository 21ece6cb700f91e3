namespace IoTMesh.Driver;

/// <summary>A monotonic clock.</summary>
public interface IClock
{
    /// <summary>Milliseconds since some fixed moment, never going back.</summary>
    long NowMs { get; }
}
