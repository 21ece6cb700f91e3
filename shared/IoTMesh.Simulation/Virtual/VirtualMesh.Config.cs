using IoTMesh.Core;

namespace IoTMesh.Simulation;

/// <content>The bounds of the nodes: a board's, and those of a gateway's computer as its service sets them.</content>
public sealed partial class VirtualMesh
{
    private const int GatewayNeighbors = 64;
    private const int GatewayJoinIntervalMs = 10;
    private const int GatewayJoinBurst = 64;

    private MeshConfig CreateConfig(int node, bool isGateway)
    {
        MeshConfig config = new() { Address = Topology.AddressOf(node), IsGateway = isGateway };
        config.MaxPeers = Math.Max(config.MaxPeers, Topology.NodeCount + 8);

        // As the gateway's service sets it: its node has a computer's memory.
        config.MaxNeighbors = isGateway ? GatewayNeighbors : config.MaxNeighbors;
        config.JoinIntervalMs = isGateway ? GatewayJoinIntervalMs : config.JoinIntervalMs;
        config.JoinBurst = isGateway ? GatewayJoinBurst : config.JoinBurst;
        SetLinkTimes(config);
        config.StoreCustody = !isGateway && _options.StoreCustody;
        SetLeaf(config, node);
        config.RealTimeTwice = _options.RealTimeTwice;
        _options.Configure?.Invoke(config);
        return config;
    }
}
