using IoTMesh.Core;

namespace IoTMesh.Simulation;

/// <content>What goes wrong, and how it is mended.</content>
public sealed partial class SoakRun
{
    private const int LinksCutMax = 6;
    private int _cut;
    private bool _isParted;

    /// <summary>One fault, of a kind drawn anew each time; each mends itself after a while.</summary>
    private void Strike()
    {
        long calmFromUs = _endUs - CalmUs;
        long nextUs = 1 + _random.NextLong(2L * _options.FaultSeconds * Second);
        if (_mesh.NowUs + nextUs < calmFromUs)
        {
            In(nextUs, Strike);
        }

        // Whatever breaks now is whole again when the calm begins.
        long leftUs = calmFromUs - _mesh.NowUs;
        int kind = _random.NextInt(10);
        if (kind < 5)
        {
            StrikeNode(3 + _random.NextInt(_options.Nodes - 2), Math.Min(leftUs, Seconds(5, 300)));
        }
        else if (kind < 8)
        {
            StrikeLink(Math.Min(leftUs, Seconds(10, 600)));
        }
        else if (kind < 9)
        {
            StrikeGateway(1 + _random.NextInt(2), Math.Min(leftUs, Seconds(5, 900)));
        }
        else
        {
            Part(Math.Min(leftUs, Seconds(20, 600)));
        }
    }

    private long Seconds(int from, int to) => (from * Second) + _random.NextLong((to - from) * Second);

    private void Count(string kind) => _faults[kind] = _faults.GetValueOrDefault(kind) + 1;

    private void StrikeNode(int node, long downUs)
    {
        if (_mesh.CoreOf(node) is not MeshNode core)
        {
            return;
        }

        Count("restarts of nodes");
        if (_waiting.Remove((core.Address, core.Boot), out HashSet<uint>? waiting))
        {
            // Some of these are under way and may still arrive.
            _orphans.UnionWith(waiting.Select(seq => new ReadingKey(core.Address, core.Boot, seq)));
        }

        _mesh.Kill(node);
        In(downUs, () => _mesh.Start(node));
    }

    private void StrikeLink(long downUs)
    {
        int from = 1 + _random.NextInt(_options.Nodes);
        ReadOnlySpan<RadioLink> links = _mesh.Topology.LinksFrom(from);
        if (links.Length == 0 || _cut == LinksCutMax)
        {
            return;
        }

        int to = links[_random.NextInt(links.Length)].To;
        Count("cuts of links");
        _cut++;
        _mesh.Medium.Cut(from, to);
        In(downUs, () =>
        {
            _cut--;
            _mesh.Medium.Restore(from, to);
        });
    }

    /// <summary>Both the way a gateway's service stops and the way its machine dies.</summary>
    private void StrikeGateway(int gateway, long downUs)
    {
        if (!_mesh.IsServing(gateway))
        {
            return;
        }

        if (_random.NextInt(2) == 0)
        {
            Count("stops of a gateway's service");
            _mesh.GatewayDown(gateway);
            In(downUs, () => _mesh.GatewayUp(gateway));
        }
        else
        {
            Count("restarts of gateways");
            _mesh.Kill(gateway);
            In(downUs, () => _mesh.Start(gateway));
        }
    }

    /// <summary>Splits the mesh along a line across the map; the gateways may fall on the same side.</summary>
    private void Part(long downUs)
    {
        if (_isParted)
        {
            return;
        }

        Count("partitions");
        List<int> nodes = [.. Enumerable.Range(1, _options.Nodes)];
        bool isAcross = _random.NextInt(2) == 0;
        nodes = [.. nodes.OrderBy(node => isAcross ? _mesh.Topology.PositionOf(node).X : _mesh.Topology.PositionOf(node).Y)];
        int side = 1 + _random.NextInt(nodes.Count - 1);
        _isParted = true;
        _mesh.Medium.Partition([nodes[..side], nodes[side..]]);
        In(downUs, () =>
        {
            _isParted = false;
            _mesh.Medium.Merge();
        });
    }
}
