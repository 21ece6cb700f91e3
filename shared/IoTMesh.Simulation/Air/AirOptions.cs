using System.Net;

namespace IoTMesh.Simulation;

/// <summary>Settings of the UDP air.</summary>
public sealed record AirOptions
{
    /// <summary>Port of docs/protocol.md 11.</summary>
    public const int DefaultPort = 17_700;

    /// <summary>Address to listen on. Anyone who can reach it can change the medium.</summary>
    public IPAddress Address { get; init; } = IPAddress.Loopback;

    /// <summary>UDP port; 0 for any free one.</summary>
    public int Port { get; init; } = DefaultPort;

    public required Topology Topology { get; init; }

    /// <summary>Of the losses.</summary>
    public ulong Seed { get; init; } = 1;

    /// <summary>Share that each link loses instead of the topology's, 0 to 1; null for the topology's.</summary>
    public double? LossOverride { get; init; }

    /// <summary>Delay of each frame on top of its airtime, ms.</summary>
    public int DelayMs { get; init; }

    public Airtime Airtime { get; init; } = Airtime.EspNow;

    /// <summary>Is told of every frame when it is sent, with UTC times; must not block.</summary>
    public IFrameWatch? Watch { get; init; }

    /// <summary>A node is out of range after this long without a datagram, ms.</summary>
    public int NodeTimeoutMs { get; init; } = 2_500;
}
