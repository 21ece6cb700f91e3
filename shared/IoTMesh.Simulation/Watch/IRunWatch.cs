using IoTMesh.Core;

namespace IoTMesh.Simulation;

/// <summary>What became of a frame at a node that could have heard it.</summary>
public enum Fate : byte
{
    /// <summary>The node's core was given the frame.</summary>
    Delivered = 0,

    /// <summary>The link lost it.</summary>
    Lost = 1,

    /// <summary>Other transmissions covered it, or the receiver was sending itself.</summary>
    Collided = 2,

    /// <summary>It came, with bytes that were changed on the way.</summary>
    Corrupted = 3,
}

/// <summary>One frame at one receiver.</summary>
/// <param name="Node">Address of the receiver.</param>
/// <param name="RssiDbm">Signal strength there, dBm; 0 for unknown.</param>
public readonly record struct Reception(ushort Node, sbyte RssiDbm, Fate Fate);

/// <summary>A link frame that has left the air.</summary>
/// <param name="EndUs">When it ended, us since the start of the run.</param>
/// <param name="Transmitter">Address of the sender.</param>
/// <param name="LinkDestination">One neighbor, or 0xFFFF.</param>
/// <param name="Bytes">The frame, valid during the call.</param>
/// <param name="Receptions">At each node it was meant for and that was in range, valid during the call.</param>
/// <param name="IsCutShort">The sender died while it sent: nobody heard it.</param>
public readonly ref struct AirFrame(
    long endUs, ushort transmitter, ushort linkDestination, ReadOnlySpan<byte> bytes, ReadOnlySpan<Reception> receptions, bool isCutShort)
{
    public readonly long EndUs = endUs;
    public readonly ushort Transmitter = transmitter;
    public readonly ushort LinkDestination = linkDestination;
    public readonly ReadOnlySpan<byte> Bytes = bytes;
    public readonly ReadOnlySpan<Reception> Receptions = receptions;
    public readonly bool IsCutShort = isCutShort;
}

/// <summary>Takes every link frame, in the order they end. A capture is one.</summary>
public interface IFrameWatch
{
    void FrameEnded(in AirFrame frame);
}

/// <summary>
/// Watches a run from outside, for captures and replays. It changes nothing: a run that is watched has the same trace. Times are
/// virtual microseconds since the start of the run.
/// </summary>
public interface IRunWatch : IFrameWatch
{
    /// <summary>Nothing has happened yet.</summary>
    void Begun(VirtualMesh mesh);

    /// <summary>A node's routes may have changed, or it has just started.</summary>
    void RouteChanged(long nowUs, int node);

    /// <summary>A fault has just been applied.</summary>
    void Faulted(long nowUs, FaultEntry fault);

    /// <summary>An application made a reading; <paramref name="to"/> is 0 for any gateway.</summary>
    void Made(long nowUs, int reading, int from, int to, SendResult taken);

    /// <summary>A reading reached its application for the first time; at a gateway with custody: it is committed there.</summary>
    void Delivered(long nowUs, int reading, int at);

    /// <summary>A checker found something.</summary>
    void Violated(long nowUs, string what);

    /// <summary>The run is over.</summary>
    void Ended(long nowUs);
}
