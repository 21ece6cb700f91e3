using IoTMesh.Core;

namespace IoTMesh.Simulation;

public sealed partial class SimulationRun
{
    private const long SettleUs = 30 * Second;
    private const int ReadingsToMiss = 4;

    // protocol.md 5.3: by then a node that sends nothing has noticed a next hop that is silent, and found another way.
    private const long SilenceUs = 75 * Second;

    void IVirtualMeshObserver.RouteChanged(int node, ushort destination)
    {
        _watch?.RouteChanged(_mesh.NowUs, node);
        if (_mesh.CoreOf(node) is not MeshNode core)
        {
            return;
        }

        if (_startedUs[node] < 0)
        {
            _startedUs[node] = _mesh.NowUs;
        }

        if (_joinedUs[node] < 0 && HasJoined(core, destination))
        {
            _joinedUs[node] = _mesh.NowUs;
        }

        if (MeshAddress.IsUnicast(destination))
        {
            NoteNextHop(node, core, destination);
            NoteNextHop(node, core, MeshAddress.AnyGateway);
            CheckLoop(node, destination);
        }
    }

    /// <summary>A mesh without gateways is joined with the first route to anybody.</summary>
    private bool HasJoined(MeshNode core, ushort destination)
    {
        ushort goal = _mesh.Topology.Gateways.Count == 0 ? destination : MeshAddress.AnyGateway;
        return core.Config.IsGateway || (goal != MeshAddress.None && core.GetNextHop(goal) != MeshAddress.None);
    }

    /// <summary>
    /// Follows next hops from a node whose route changed; a new cycle must lead through it. Each gateway is a destination of its own:
    /// a message for any of them keeps to the one it was given (protocol.md 6). A next hop that would take no message of this node, because
    /// it has restarted and this node has not yet answered it, ends the way (protocol.md 5.5).
    /// </summary>
    private void CheckLoop(int node, ushort destination)
    {
        int before = RouteCycle.Find(node, _mesh.Topology.NodeCount, at => TakingNextHop(at, destination));
        if (before == 0)
        {
            _inCycle.Remove((node, destination));
        }
        else if (_inCycle.Add((node, destination)))
        {
            // One cycle counts once, whichever of its nodes reports next.
            for (int at = NextHop(node, destination); at != node; at = NextHop(at, destination))
            {
                _inCycle.Add((at, destination));
            }

            _loops++;
            if (IsAttacked)
            {
                return;
            }

            Violate($"the next hops to node {destination} lead from node {node} back to it, through node {before}");
        }
    }

    private int TakingNextHop(int node, ushort destination)
    {
        int next = NextHop(node, destination);
        return next >= 1 && next <= _mesh.Topology.NodeCount && _mesh.CoreOf(next) is MeshNode core && core.IsVerified(Topology.AddressOf(node))
            ? next : 0;
    }

    /// <summary>The next hop of a living node, 0 where the way ends.</summary>
    private int NextHop(int node, ushort destination)
    {
        return _mesh.CoreOf(node) is not MeshNode core || node == destination ? 0 : core.GetNextHop(destination);
    }

    private void ApplyFault(FaultEntry fault)
    {
        Medium medium = _mesh.Medium;
        switch (fault.Kind)
        {
            case FaultKind.Kill:
                _powerCuts.Add((fault.A, _mesh.NowUs));
                _mesh.Kill(fault.A);
                break;
            case FaultKind.Start:
                _mesh.Start(fault.A);
                break;
            case FaultKind.Cut:
                medium.Cut(fault.A, fault.B);
                break;
            case FaultKind.Restore:
                medium.Restore(fault.A, fault.B);
                break;
            case FaultKind.Partition:
                medium.Partition(fault.Groups);
                break;
            case FaultKind.Merge:
                medium.Merge();
                break;
            case FaultKind.Move:
                medium.Move(fault.A, fault.Position.X, fault.Position.Y);
                break;
            case FaultKind.GatewayDown:
                _mesh.GatewayDown(fault.A);
                break;
            case FaultKind.GatewayUp:
                _mesh.GatewayUp(fault.A);
                break;
            case FaultKind.Rotate:
                _mesh.Rotate(fault.A, patienceMs: 30_000);
                break;
            case FaultKind.Revoke:
                _mesh.Revoke(fault.A);
                break;
        }

        _watch?.Faulted(_mesh.NowUs, fault);
        NoteFault();
    }

    /// <summary>Remembers which sources have a way to their destinations after the fault; faults of one moment count as one.</summary>
    private void NoteFault()
    {
        HashSet<(int From, int To)> ways = [];
        foreach (Flow flow in _flows)
        {
            if (_mesh.IsRunning(flow.From) && HasWay(flow))
            {
                bool isOne = flow.Entry.Target is TrafficTarget.Gateway or TrafficTarget.Nodes;
                ways.Add((flow.From, isOne ? flow.To : HealTime.Anyone));
            }
        }

        if (_faultTimes.Count > 0 && _faultTimes[^1].AtUs == _mesh.NowUs)
        {
            _faultTimes.RemoveAt(_faultTimes.Count - 1);
        }

        _faultTimes.Add((_mesh.NowUs, ways));
    }

    private bool HasWay(Flow flow, double ratioMin = 0.1)
    {
        return flow.Entry.Target switch
        {
            _ when flow.Entry.ViaServer && !_mesh.Medium.HasPath(flow.From, _mesh.IsServing, ratioMin) => false,
            TrafficTarget.Gateway => _mesh.Medium.HasPath(flow.From, _mesh.IsServing, ratioMin),
            TrafficTarget.Nodes => _mesh.Medium.HasPath(flow.From, node => node == flow.To && _mesh.IsRunning(node), ratioMin),
            _ => Enumerable.Range(1, _mesh.Topology.NodeCount).All(to => _mesh.Medium.HasPath(flow.From, node => node == to, ratioMin)),
        };
    }

    /// <summary>All next hops of all nodes at the end, whether or not anyone reported a change.</summary>
    private void CheckLoopsAll()
    {
        int nodes = _mesh.Topology.NodeCount;
        for (int node = 1; node <= nodes; node++)
        {
            for (int destination = 1; destination <= nodes && _mesh.IsRunning(node); destination++)
            {
                CheckLoop(node, Topology.AddressOf(destination));
            }
        }
    }

    /// <summary>
    /// Half a minute after the last fault, each node that has a way to a gateway and sent something to one since then must have a route that
    /// gets there. A next hop that died is known by what is not acknowledged; without traffic only by its silence (protocol.md 5.3).
    /// </summary>
    private void CheckConverged()
    {
        CheckLoopsAll();
        long calmUs = _endUs - Math.Max(Second, _faultTimes.Count == 0 ? 0 : _faultTimes[^1].AtUs);
        if (calmUs < SettleUs)
        {
            return;
        }

        CheckFlowing();
        for (int node = 1; node <= _mesh.Topology.NodeCount; node++)
        {
            string end = "";
            bool knowsGateway = _mesh.IsServing(node) || _mesh.CoreOf(node)?.NearestGateway != MeshAddress.None;
            bool mustArrive = calmUs >= SilenceUs || !knowsGateway || HasSentToGateway(node);
            bool isLost = mustArrive && _mesh.IsRunning(node) && !_arrives[node] && !RouteArrives(node, out end);
            if (isLost && _mesh.Medium.HasPath(node, _mesh.IsServing, 0.5))
            {
                Violate($"node {node} has a way to a gateway, but no route that leads to one: {end}");
            }
        }
    }

    /// <summary>Whether the node made readings for a gateway at least 10 s ago and after the mesh had its half minute: enough to miss acks.</summary>
    private bool HasSentToGateway(int node)
    {
        long settledUs = SettleUs + (_faultTimes.Count == 0 ? Second : _faultTimes[^1].AtUs);
        int made = 0;
        foreach (Reading reading in _readings)
        {
            made += reading.From == node && reading.To == 0 && reading.MadeUs >= settledUs ? 1 : 0;
        }

        return made >= ReadingsToMiss;
    }

    /// <summary>
    /// The last ten seconds, looked at each second: a lossy link is given up by bad luck now and then, and it takes a moment to find it again.
    /// </summary>
    private void RunToCalmEnd()
    {
        long fromUs = Math.Max(0, _endUs - Us(Scenario.TailSeconds));
        _mesh.RunUntil(fromUs);
        for (long atUs = fromUs; atUs < _endUs; atUs += Second)
        {
            _mesh.RunUntil(atUs);
            for (int node = 1; node <= _mesh.Topology.NodeCount; node++)
            {
                _arrives[node] = _arrives[node] || (_mesh.IsRunning(node) && RouteArrives(node, out _));
            }
        }

        _mesh.RunUntil(_endUs);
    }

    private bool RouteArrives(int node, out string end)
    {
        int gateway = _mesh.IsServing(node) ? node : _mesh.CoreOf(node)!.NearestGateway;
        end = gateway == MeshAddress.None ? "it knows no gateway" : $"its nearest gateway {gateway} does not serve";
        if (gateway == MeshAddress.None)
        {
            return false;
        }

        for (int steps = 0; steps <= _mesh.Topology.NodeCount && node != gateway; steps++)
        {
            int next = NextHop(node, Topology.AddressOf(gateway));
            if (next < 1 || next > _mesh.Topology.NodeCount || !_mesh.Medium.Find(node, next, out _))
            {
                end = $"its route to gateway {gateway} ends at node {node}, whose next hop is {next}";
                return false;
            }

            node = next;
        }

        return node == gateway && _mesh.IsServing(node);
    }
}
