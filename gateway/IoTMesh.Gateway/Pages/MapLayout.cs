using IoTMesh.Gateway.Live;

namespace IoTMesh.Gateway.Pages;

/// <summary>
/// Where each node stands on the map, one for all viewers. Positions last: a death, a changed route or a wobbling link
/// quality moves nothing; a new node comes beside its neighbors; only a really wrong drawing is drawn anew, turned to lie on the old one.
/// </summary>
public sealed class MapLayout(ILiveView live, TimeProvider time) : BackgroundService
{
    /// <summary>How often it looks when nobody watches, so that a node that dies then still has its place.</summary>
    private static readonly TimeSpan _lookGap = TimeSpan.FromSeconds(1);

    /// <summary>Weaker links than this do not pull on the drawing, expected transmissions.</summary>
    private const double LayoutEtxMax = 4.0;

    /// <summary>A link unseen so long between two nodes that are up is forgotten: one of them has moved.</summary>
    private static readonly TimeSpan _linkMemory = TimeSpan.FromMinutes(2);

    private const double GapMin = 0.62;

    private readonly Lock _lock = new();
    private readonly Dictionary<(ushort A, ushort B), long> _edges = [];
    private Dictionary<ushort, Point> _positions = [];
    private MeshView? _view;

    /// <summary>Positions by mesh address, in hop lengths; the dictionary never changes after it is returned.</summary>
    public IReadOnlyDictionary<ushort, Point> Update(MeshView view)
    {
        lock (_lock)
        {
            if (_view is null || view.Version > _view.Version)
            {
                bool nodesChanged = _positions.Count != view.Nodes.Count || view.Nodes.Any(node => !_positions.ContainsKey(node.Address));
                bool edgesChanged = UpdateEdges(view);
                if (nodesChanged || edgesChanged)
                {
                    _positions = Drawn(view);
                }

                _view = view;
            }

            return _positions;
        }
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(_lookGap, time);
        do
        {
            Update(live.Current);
        }
        while (await timer.WaitForNextTickAsync(stoppingToken));
    }

    private bool UpdateEdges(MeshView view)
    {
        long now = time.GetTimestamp();
        Dictionary<ushort, bool> online = [];
        foreach (NodeView node in view.Nodes)
        {
            online[node.Address] = node.Online;
        }

        bool changed = false;
        foreach (LinkView link in view.Links)
        {
            if (link.IsRoute || link.Etx <= LayoutEtxMax)
            {
                changed |= See(link.From, link.To, online, now);
            }
        }

        foreach (NodeView node in view.Nodes)
        {
            changed |= See(node.Address, node.Parent, online, now);
        }

        foreach ((ushort a, ushort b) in _edges.Keys.ToArray())
        {
            bool known = online.TryGetValue(a, out bool aUp) & online.TryGetValue(b, out bool bUp);
            if (!known || (aUp && bUp && time.GetElapsedTime(_edges[(a, b)], now) > _linkMemory))
            {
                changed |= _edges.Remove((a, b));
            }
        }

        return changed;
    }

    private bool See(ushort from, ushort to, Dictionary<ushort, bool> online, long now)
    {
        if (from == to || !online.ContainsKey(from) || !online.ContainsKey(to))
        {
            return false;
        }

        (ushort, ushort) key = from < to ? (from, to) : (to, from);
        bool isNew = !_edges.ContainsKey(key);
        _edges[key] = now;
        return isNew;
    }

    private Dictionary<ushort, Point> Drawn(MeshView view)
    {
        NodeView[] nodes = [.. view.Nodes.DistinctBy(node => node.Address).OrderBy(node => node.Address)];
        if (nodes.Length == 0)
        {
            return [];
        }

        var linked = _edges.Keys.SelectMany(e => new[] { e.A, e.B }).ToHashSet();
        NodeView[] alone = nodes.All(node => !linked.Contains(node.Address)) ? [] : [.. nodes.Where(node => !linked.Contains(node.Address))];
        Dictionary<ushort, Point> positions = DrawnLinked([.. nodes.Except(alone)]);
        PlaceBelow(positions, alone);
        return positions;
    }

    /// <summary>Nodes without any link stand in rows below the drawing, or where they stood before they lost the last one.</summary>
    private void PlaceBelow(Dictionary<ushort, Point> positions, NodeView[] alone)
    {
        if (alone.Length == 0)
        {
            return;
        }

        double left = positions.Values.Min(p => p.X);
        double row = positions.Values.Max(p => p.Y) + 1;
        int rowLength = Math.Max(1, (int)(positions.Values.Max(p => p.X) - left) + 1);
        for (int i = 0; i < alone.Length; i++)
        {
            Point below = new(left + (i % rowLength), row + (i / rowLength));
            positions[alone[i].Address] = _positions.TryGetValue(alone[i].Address, out Point stood) ? stood : below;
        }
    }

    private Dictionary<ushort, Point> DrawnLinked(NodeView[] nodes)
    {
        Dictionary<ushort, int> index = [];
        foreach (NodeView node in nodes)
        {
            index[node.Address] = index.Count;
        }

        (int, int)[] edges =
            [.. _edges.Keys.Where(e => index.ContainsKey(e.A) && index.ContainsKey(e.B)).Order().Select(e => (index[e.A], index[e.B]))];
        double[][] distances = StressLayout.Distances(nodes.Length, edges);
        Point[] fresh = StressLayout.Seed(distances);
        StressLayout.Relax(distances, fresh, 200);

        Point?[] old = [.. nodes.Select(node => _positions.TryGetValue(node.Address, out Point p) ? p : (Point?)null)];
        Point[] chosen = fresh;
        if (old.Count(p => p is not null) * 2 < nodes.Length || old.Count(p => p is not null) < 3)
        {
            StressLayout.Orient(fresh, edges, Array.FindIndex(nodes, node => node.IsGateway));
        }
        else
        {
            Point[] kept = PlacedBesideNeighbors(old, edges);
            StressLayout.Relax(distances, kept, 40);
            StressLayout.Align(fresh, old);
            double slack = 0.01 * nodes.Length;
            chosen = StressLayout.Stress(distances, fresh) + slack < 0.8 * StressLayout.Stress(distances, kept) ? fresh : kept;
        }

        StressLayout.Spread(chosen, GapMin);
        return nodes.Zip(chosen).ToDictionary(pair => pair.First.Address, pair => pair.Second);
    }

    private static Point[] PlacedBesideNeighbors(Point?[] old, (int A, int B)[] edges)
    {
        var points = new Point[old.Length];
        for (int i = 0; i < old.Length; i++)
        {
            Point[] beside =
                [.. edges.Where(e => e.A == i || e.B == i).Select(e => old[e.A == i ? e.B : e.A]).Where(p => p is not null).Select(p => p!.Value)];
            Point jitter = new(0.4 * Math.Cos(i * 2.399963), 0.4 * Math.Sin(i * 2.399963));
            Point start = beside.Length == 0 ? default : new Point(beside.Average(p => p.X), beside.Average(p => p.Y));
            points[i] = old[i] ?? (start + jitter);
        }

        return points;
    }
}
