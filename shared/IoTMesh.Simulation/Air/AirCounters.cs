namespace IoTMesh.Simulation;

/// <summary>What the air did.</summary>
public struct AirCounters
{
    /// <summary>Frames that nodes sent.</summary>
    public long FramesReceived;

    /// <summary>Copies handed to receivers.</summary>
    public long FramesDelivered;

    /// <summary>Copies lost by the radio model.</summary>
    public long FramesLost;

    /// <summary>Copies for nodes in range that are not there.</summary>
    public long FramesAbsent;

    /// <summary>Frames dropped because their sender was half a second ahead of its airtime, or 4,096 copies were under way.</summary>
    public long Overrun;

    /// <summary>Datagrams dropped because of their form.</summary>
    public long Malformed;

    /// <summary>Datagrams from addresses that the topology does not have.</summary>
    public long Refused;

    /// <summary>Nodes that came back from another UDP port.</summary>
    public long Moved;

    /// <summary>Datagrams the operating system did not take.</summary>
    public long SendErrors;
}
