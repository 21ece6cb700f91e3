using IoTMesh.Gateway.Live;

namespace IoTMesh.Gateway.Pages;

/// <summary>How the mesh is drawn, in hop lengths. Nothing in it ever changes.</summary>
/// <param name="Places">By mesh address.</param>
/// <param name="Edges">The links that shaped it, those of dead nodes too.</param>
public sealed record MapDrawing(IReadOnlyDictionary<ushort, Point> Places, IReadOnlyList<(ushort A, ushort B)> Edges);

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

    /// <summary>
    /// A mesh that has just been met is still telling its links: so long each drawing is made anew and set upright, as nobody has
    /// got used to it yet.
    /// </summary>
    private static readonly TimeSpan _formingTime = TimeSpan.FromSeconds(20);

    private const double GapMin = 0.62;

    private readonly Lock _lock = new();
    private readonly Dictionary<(ushort A, ushort B), long> _edges = [];
    private Dictionary<ushort, Point> _positions = [];
    private MapDrawing _drawing = new(new Dictionary<ushort, Point>(), []);
    private MeshView? _view;
    private long _metAt;

    /// <summary>The drawing for this picture of the mesh, or for a newer one that another viewer has brought.</summary>
    public MapDrawing Update(MeshView view)
    {
        lock (_lock)
        {
            if (_view is null || view.Version > _view.Version)
            {
                bool nodesChanged = _positions.Count != view.Nodes.Count || view.Nodes.Any(node => !_positions.ContainsKey(node.Address));
                bool edgesChanged = UpdateEdges(view);
                _metAt = _edges.Count == 0 || _metAt == 0 ? time.GetTimestamp() : _metAt;
                if (nodesChanged || edgesChanged)
                {
                    _positions = Drawn(view);
                    _drawing = new MapDrawing(_positions, [.. _edges.Keys.Order()]);
                }

                _view = view;
            }

            return _drawing;
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

        Dictionary<ushort, Point> drawn = [];
        foreach (NodeView[] part in Parts(nodes))
        {
            Dictionary<ushort, Point> places = DrawnPart(part);
            if (drawn.Count > 0 && !part.All(node => _positions.ContainsKey(node.Address)))
            {
                MoveBelow(drawn, places);
            }

            foreach ((ushort address, Point place) in places)
            {
                drawn[address] = place;
            }
        }

        return drawn;
    }

    /// <summary>The nodes by connected part, the largest first.</summary>
    private List<NodeView[]> Parts(NodeView[] nodes)
    {
        Dictionary<ushort, ushort> rootOf = nodes.ToDictionary(node => node.Address, node => node.Address);
        ushort Root(ushort address)
        {
            while (rootOf[address] != address)
            {
                address = rootOf[address] = rootOf[rootOf[address]];
            }

            return address;
        }

        foreach ((ushort a, ushort b) in _edges.Keys)
        {
            rootOf[Root(a)] = Root(b);
        }

        return [.. nodes.GroupBy(node => Root(node.Address)).OrderByDescending(part => part.Count()).Select(part => part.ToArray())];
    }

    /// <summary>Parts that no link joins stand below each other, single nodes in rows.</summary>
    private static void MoveBelow(Dictionary<ushort, Point> drawn, Dictionary<ushort, Point> part)
    {
        double right = drawn.Values.Max(p => p.X);
        double bottom = drawn.Values.Max(p => p.Y);
        double lastInRow = drawn.Values.Where(p => p.Y > bottom - 0.01).Max(p => p.X);
        bool besideLast = part.Count == 1 && lastInRow + 1 <= right && drawn.Values.Count(p => p.Y > bottom - 0.01) < drawn.Count;
        Point corner = new(part.Values.Min(p => p.X), part.Values.Min(p => p.Y));
        Point target = besideLast ? new Point(lastInRow + 1, bottom) : new Point(drawn.Values.Min(p => p.X), bottom + 1);
        foreach (ushort address in part.Keys.ToArray())
        {
            part[address] += target - corner;
        }
    }

    private Dictionary<ushort, Point> DrawnPart(NodeView[] nodes)
    {
        if (nodes.Length < 3 && nodes.All(node => _positions.ContainsKey(node.Address)))
        {
            return nodes.ToDictionary(node => node.Address, node => _positions[node.Address]);
        }

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
        if (time.GetElapsedTime(_metAt) < _formingTime || old.Count(p => p is not null) * 2 < nodes.Length || old.Count(p => p is not null) < 3)
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
