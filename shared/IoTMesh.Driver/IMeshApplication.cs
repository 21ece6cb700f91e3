using IoTMesh.Core;

namespace IoTMesh.Driver;

/// <summary>
/// What runs on top of one mesh node: the node application or the gateway. Every call comes on the driver's thread, the only one
/// that may touch <see cref="MeshDriver.Node"/>; calls that send return at once. An exception that leaves a call is counted
/// (<see cref="MeshDriver.ApplicationFaults"/>) and the mesh goes on.
/// </summary>
public interface IMeshApplication
{
    /// <summary>When <see cref="HandleTimeout"/> is due, ms on the driver's clock; long.MaxValue for never.</summary>
    long NextDeadlineMs { get; }

    /// <summary>The node has been started; the driver's first call.</summary>
    void HandleStarted(long nowMs, MeshDriver driver);

    /// <summary>A Deliver, SendCompleted, RouteChanged or NeighborChanged effect. The object is reused: copy what must last.</summary>
    void HandleOutput(long nowMs, MeshOutput output);

    /// <summary>A send that another thread posted was handed to the mesh (or refused).</summary>
    /// <param name="tag">As given to <see cref="MeshDriver.TrySend"/>.</param>
    /// <param name="token">Accepted: the token of the later SendCompleted; for a reading its sequence number.</param>
    void HandlePosted(long nowMs, int tag, SendResult result, int token);

    /// <summary>Time has passed.</summary>
    void HandleTimeout(long nowMs);
}
