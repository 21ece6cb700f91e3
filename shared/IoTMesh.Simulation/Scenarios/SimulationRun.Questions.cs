using System.Runtime.InteropServices;
using IoTMesh.Core;

namespace IoTMesh.Simulation;

/// <content>Diagnostics: pings and traces from node to node. A node has one question under way at a time.</content>
public sealed partial class SimulationRun
{
    private readonly Dictionary<int, Asked> _asked = [];

    private void Ask(Flow flow, int to)
    {
        int index = _readings.Count;
        AddReading(flow.From, to, 0, broadcastIndex: -1);
        SendResult taken = _mesh.Ask(flow.From, flow.Entry.Ask, Topology.AddressOf(to), out int token);
        if (taken == SendResult.Accepted)
        {
            _asked[flow.From] = new Asked(_mesh.IncarnationOf(flow.From), token, index);
        }

        CollectionsMarshal.AsSpan(_readings)[index].Taken = taken;
        _watch?.Made(_mesh.NowUs, index, flow.From, to, taken);
    }

    void IVirtualMeshObserver.Answered(int node, MeshOutput output)
    {
        if (FindAsked(node, output.Token) is int index and >= 0)
        {
            CollectionsMarshal.AsSpan(_readings)[index].Hops = output.Hops;
        }
    }

    void IVirtualMeshObserver.Completed(int node, MeshOutput output)
    {
        if (FindAsked(node, output.Token) is int index and >= 0)
        {
            _asked.Remove(node);
            if (output.Success)
            {
                CollectionsMarshal.AsSpan(_readings)[index].DeliveredUs = _mesh.NowUs;
                _watch?.Delivered(_mesh.NowUs, index, _readings[index].To);
            }
        }
    }

    private int FindAsked(int node, int token)
    {
        bool isAsked = _asked.TryGetValue(node, out Asked asked) && asked.Incarnation == _mesh.IncarnationOf(node) && asked.Token == token;
        return isAsked ? asked.Index : -1;
    }

    private readonly record struct Asked(int Incarnation, int Token, int Index);
}
