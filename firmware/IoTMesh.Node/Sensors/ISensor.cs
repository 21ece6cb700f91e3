using IoTMesh.Core;

namespace IoTMesh.Node;

/// <summary>Something that measures. Called from the driver's thread; takes well under a beacon interval and allocates nothing.</summary>
public interface ISensor
{
    /// <summary>Adds what it measures now; adds nothing where it cannot measure.</summary>
    void Sample(long nowMs, ReadingWriter writer);
}
