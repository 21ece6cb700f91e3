namespace IoTMesh.Core;

/// <content>What a node shows of its tables.</content>
public sealed partial class MeshNode
{
    /// <summary>Readings in custody here.</summary>
    public int CustodyCount => _custody.Count;

    /// <summary>Bytes that the readings in custody take, of <see cref="MeshConfig.MaxCustodyBytes"/>.</summary>
    public int CustodyBytes => _custody.UsedBytes;

    /// <summary>Peers with end-to-end state, of <see cref="MeshConfig.MaxPeers"/>.</summary>
    public int PeerCount => _peers.Count;

    /// <summary>Messages queued here.</summary>
    public int QueuedCount => _queue.Used;

    public int NeighborCount => _neighbors.Count;

    /// <summary>Copies neighbor <paramref name="index"/> (0 to NeighborCount - 1).</summary>
    public void GetNeighbor(int index, NeighborInfo info)
    {
        int slot = -1;
        for (int seen = -1; seen < index;)
        {
            slot++;
            seen += _neighbors.Address[slot] != MeshAddress.None ? 1 : 0;
        }

        info.Address = _neighbors.Address[slot];
        info.LinkCost = (ushort)_neighbors.LinkCost(slot);
        info.RssiDbm = _neighbors.RssiDbm[slot];
        info.LastHeardMs = _neighbors.LastHeardMs[slot];
        info.IsVerified = _neighbors.IsUsable(slot);
    }

    public int RouteCount => _routes.Count;

    /// <summary>Copies route <paramref name="index"/> (0 to RouteCount - 1).</summary>
    public void GetRoute(int index, RouteInfo info)
    {
        info.Destination = _routes.Destination[index];
        info.NextHop = AddressOf(_routes.NextHop(index));
        info.Metric = _routes.Metric[index];
        info.SeqNo = _routes.SeqNoAdvertised[index];
        info.IsGateway = _routes.IsGateway[index];
        info.Feasible = (byte)_routes.FeasibleCount(index);
    }

    /// <summary>The next hop to a destination (AnyGateway allowed), or None.</summary>
    public ushort GetNextHop(ushort destination)
    {
        if (_leaf != null)
        {
            return _leaf.Parent;
        }

        int route = destination == MeshAddress.AnyGateway ? _routes.NearestGateway() : _routes.Find(destination);
        return route == RouteTable.None ? MeshAddress.None : AddressOf(_routes.NextHop(route));
    }

    /// <summary>The nearest gateway, or None.</summary>
    public ushort NearestGateway
    {
        get
        {
            int route = _routes.NearestGateway();
            return route == RouteTable.None ? MeshAddress.None : _routes.Destination[route];
        }
    }
}
