using System.Runtime.InteropServices;
using IoTMesh.Core;

namespace IoTMesh.Simulation;

/// <content>Client and server: messages between nodes that only the gateway's application passes on.</content>
public sealed partial class SimulationRun
{
    private void MarkForServer(TrafficEntry entry, int index)
    {
        ref Reading reading = ref CollectionsMarshal.AsSpan(_readings)[index];
        (reading.IsViaServer, reading.Class) = (entry.ViaServer, entry.Class);
    }

    private bool IsForServer(int node, ushort origin, int index)
    {
        Reading reading = _readings[index];
        return reading.IsViaServer && origin == reading.From && reading.To != node && _mesh.Topology.IsGateway(node);
    }

    /// <summary>Whether a message may come from there: its source, or the server that passed it on.</summary>
    private bool IsOrigin(ushort origin, int index)
    {
        Reading reading = _readings[index];
        return reading.From == origin || (reading.IsPassedOn && _mesh.Topology.IsGateway(origin));
    }

    /// <summary>A server that restarted passes nothing on a second time.</summary>
    private void PassOn(int server, MeshOutput output, int index)
    {
        ref Reading reading = ref CollectionsMarshal.AsSpan(_readings)[index];
        if (reading.IsPassedOn || !_mesh.IsServing(server))
        {
            return;
        }

        reading.IsPassedOn = true;
        reading.Hops = output.Hops;
        int count = reading.PayloadBytes;
        Fill(_payload.AsSpan(0, count), index);
        _mesh.Send(server, Topology.AddressOf(reading.To), AppPort, reading.Class, confirmed: false, _payload, count);
    }
}
