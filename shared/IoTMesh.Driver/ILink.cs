namespace IoTMesh.Driver;

/// <summary>
/// A radio, or something that behaves like one: carries whole link frames, unreliably, to neighbors. Called from the driver's
/// thread only; Receive is the one place where that thread waits.
/// </summary>
public interface ILink
{
    /// <summary>Longest frame it carries, bytes.</summary>
    int MaxFrameLength { get; }

    /// <summary>Hands a frame to the radio. Never blocks for long; false when it could not be sent.</summary>
    /// <param name="linkDestination">A neighbor's address, or 0xFFFF for everyone in range.</param>
    bool Send(ushort linkDestination, byte[] buffer, int offset, int count);

    /// <summary>Waits at most <paramref name="timeoutMs"/> for a frame.</summary>
    /// <param name="rssiDbm">Signal strength, dBm; 0 where the link cannot tell.</param>
    /// <returns>The frame's length, 0 when nothing came. Never throws for what the network did.</returns>
    int Receive(byte[] buffer, int timeoutMs, out sbyte rssiDbm);

    void Close();
}
