using System.Runtime.InteropServices;
using IoTMesh.Core;

namespace IoTMesh.Simulation;

public sealed partial class SimulationRun
{
    /// <summary>One message, and a row for each node that runs and has a way from its source now.</summary>
    private void SendBroadcast(Flow flow)
    {
        int first = _readings.Count;
        int count = flow.Entry.PayloadBytes;
        for (int node = 1; node <= _mesh.Topology.NodeCount; node++)
        {
            if (node != flow.From && _mesh.IsRunning(node) && _mesh.Medium.HasPath(flow.From, goal => goal == node))
            {
                AddReading(flow.From, node, count, first);
            }
        }

        if (_readings.Count == first)
        {
            return;
        }

        Fill(_payload.AsSpan(0, count), first);
        SendResult taken = _mesh.Send(flow.From, MeshAddress.All, AppPort, flow.Entry.Class, confirmed: false, _payload, count);
        Span<Reading> rows = CollectionsMarshal.AsSpan(_readings)[first..];
        for (int i = 0; i < rows.Length; i++)
        {
            rows[i].Taken = taken;
            _watch?.Made(_mesh.NowUs, first + i, flow.From, rows[i].To, taken);
        }
    }

    /// <summary>The row of a receiver; -1 for a node that could not be reached when the broadcast was sent, and was later.</summary>
    private int FindBroadcastRow(int node, int first)
    {
        for (int row = first; row < _readings.Count && _readings[row].BroadcastIndex == first; row++)
        {
            if (_readings[row].To == node)
            {
                return row;
            }
        }

        return -1;
    }
}
