namespace IoTMesh.Simulation;

/// <summary>A link as it is now, for the hot path.</summary>
internal readonly record struct MediumLink(int To, ulong PassBelow, sbyte RssiDbm);

/// <summary>
/// A radio medium that faults can change: the links of a <see cref="Topology"/> less what is cut, lost, moved, partitioned or
/// switched off. Draws the losses. Not thread-safe.
/// </summary>
public sealed class Medium
{
    private const ulong One = 1UL << 32;
    private readonly SeededRandom _random;
    private readonly RadioLink[][] _base;
    private readonly MediumLink[][] _links;
    private readonly bool[] _outlaws;
    private readonly bool[] _off;
    private readonly int[] _group;
    private readonly RadioPosition[] _positions;
    private readonly HashSet<long> _cut = [];
    private readonly Dictionary<long, double> _lossOfPair = [];
    private readonly HashSet<int> _leaves = [];
    private double? _lossOfAll;

    public Medium(Topology topology, ulong seed)
    {
        Topology = topology;
        _random = new SeededRandom(seed, 0x616972);
        int nodes = topology.NodeCount;
        _base = new RadioLink[nodes][];
        _links = new MediumLink[nodes][];
        _outlaws = new bool[nodes];
        _off = new bool[nodes];
        _group = new int[nodes];
        _positions = new RadioPosition[topology.HasPositions ? nodes : 0];
        for (int i = 0; i < nodes; i++)
        {
            _base[i] = topology.LinksFrom(i + 1).ToArray();
            if (_positions.Length != 0)
            {
                _positions[i] = topology.PositionOf(i + 1);
            }
        }

        Rebuild();
    }

    public Topology Topology { get; }

    /// <summary>Changes with everything that changes a link.</summary>
    internal int Version { get; private set; }

    /// <summary>Where a node stands now.</summary>
    public RadioPosition PositionOf(int node) => _positions[Index(node)];

    /// <summary>Cuts a link, both ways.</summary>
    public void Cut(int a, int b) => Change(a, b, () => _cut.Add(Pair(a, b)));

    /// <summary>Undoes <see cref="Cut"/> and a loss of the pair.</summary>
    public void Restore(int a, int b) => Change(a, b, () =>
    {
        _cut.Remove(Pair(a, b));
        _lossOfPair.Remove(Pair(a, b));
    });

    /// <summary>Every link loses this share instead of its own; null for its own.</summary>
    public void SetLoss(double? loss)
    {
        CheckLoss(loss ?? 0);
        _lossOfAll = loss;
        Rebuild();
    }

    /// <summary>The link between two nodes loses this share, both ways, until <see cref="Restore"/>.</summary>
    public void SetLoss(int a, int b, double loss)
    {
        CheckLoss(loss);
        Change(a, b, () => _lossOfPair[Pair(a, b)] = loss);
    }

    /// <summary>Switches a node's radio off: it hears nothing and is not heard.</summary>
    public void Kill(int node)
    {
        _off[Index(node)] = true;
        Rebuild();
    }

    /// <summary>Undoes <see cref="Kill"/>.</summary>
    public void Start(int node)
    {
        _off[Index(node)] = false;
        Rebuild();
    }

    public bool IsOn(int node) => !_off[Index(node)];

    /// <summary>Nothing passes between groups. Nodes in none form a group of their own.</summary>
    /// <exception cref="InputException">A node is unknown or in two groups.</exception>
    public void Partition(IReadOnlyList<IReadOnlyList<int>> groups)
    {
        int[] next = new int[_group.Length];
        for (int g = 0; g < groups.Count; g++)
        {
            foreach (int node in groups[g])
            {
                ref int group = ref next[Index(node)];
                if (group != 0)
                {
                    throw new InputException($"partition: node {node} is there twice");
                }

                group = g + 1;
            }
        }

        next.CopyTo(_group, 0);
        Rebuild();
    }

    /// <summary>Undoes <see cref="Partition"/>.</summary>
    public void Merge()
    {
        Array.Clear(_group);
        Rebuild();
    }

    /// <summary>Moves a node: its links now follow from distance alone.</summary>
    /// <exception cref="InputException">The topology has no positions.</exception>
    public void Move(int node, double x, double y)
    {
        int index = Index(node);
        if (_positions.Length == 0)
        {
            throw new InputException("move: this topology has no positions");
        }

        _positions[index] = new RadioPosition(x, y);
        if (Topology.Propagation is Propagation propagation)
        {
            for (int i = 0; i < _base.Length; i++)
            {
                _base[i] = propagation.LinksFrom(_positions, i + 1, Topology.Loss);
            }

            Rebuild();
            return;
        }

        RadioLink[] links = [.. Layouts.LinksInRange(_positions, node, Topology.Range, Topology.Loss)];
        _base[index] = links;
        for (int i = 0; i < _base.Length; i++)
        {
            int other = i + 1;
            if (other == node)
            {
                continue;
            }

            IEnumerable<RadioLink> kept = _base[i].Where(link => link.To != node);
            IEnumerable<RadioLink> made = links.Where(link => link.To == other).Select(link => link with { To = node });
            _base[i] = [.. kept.Concat(made).OrderBy(link => link.To)];
        }

        Rebuild();
    }

    /// <summary>These nodes relay nothing.</summary>
    internal void NameLeaves(IEnumerable<int> leaves) => _leaves.UnionWith(leaves);

    /// <summary>
    /// True when frames can pass in both directions along some path, each link at least at <paramref name="ratioMin"/>, not by way of leaves.
    /// </summary>
    public bool HasPath(int from, Func<int, bool> isGoal, double ratioMin = 0.1)
    {
        bool[] seen = (bool[])_outlaws.Clone();
        if (seen[Index(from)])
        {
            return false;
        }

        Stack<int> open = new([from]);
        seen[Index(from)] = true;
        ulong passBelowMin = (ulong)(ratioMin * One);
        while (open.TryPop(out int node))
        {
            if (isGoal(node))
            {
                return true;
            }

            bool isLeaf = _leaves.Contains(node);
            if (isLeaf && node != from)
            {
                continue;
            }

            foreach (MediumLink link in LinksFrom(node))
            {
                bool isBetweenLeaves = isLeaf && _leaves.Contains(link.To);
                if (!isBetweenLeaves && !seen[link.To - 1] && link.PassBelow >= passBelowMin && Find(link.To, node, out MediumLink back)
                    && back.PassBelow >= passBelowMin)
                {
                    seen[link.To - 1] = true;
                    open.Push(link.To);
                }
            }
        }

        return false;
    }

    /// <summary>A node that others will not deal with any more: its radio works, but no path leads over it.</summary>
    internal void Outlaw(int node) => _outlaws[Index(node)] = true;

    /// <summary>Links that can carry a frame now, by rising receiver.</summary>
    internal ReadOnlySpan<MediumLink> LinksFrom(int node) => _links[node - 1];

    internal bool Find(int from, int to, out MediumLink link)
    {
        foreach (MediumLink candidate in LinksFrom(from))
        {
            if (candidate.To == to)
            {
                link = candidate;
                return true;
            }
        }

        link = default;
        return false;
    }

    /// <summary>Draws whether a frame on this link arrives.</summary>
    internal bool Passes(in MediumLink link) => link.PassBelow >= One || _random.NextUInt32() < link.PassBelow;

    private void Change(int a, int b, Action apply)
    {
        Index(a);
        Index(b);
        if (a == b)
        {
            throw new InputException($"node {a}: a link needs two nodes");
        }

        apply();
        Rebuild();
    }

    /// <summary>False where a fault or a dead node keeps signals from passing at all.</summary>
    internal bool IsOpen(int from, int to)
    {
        return !_off[from - 1] && !_off[to - 1] && _group[from - 1] == _group[to - 1] && !_cut.Contains(Pair(from, to));
    }

    private void Rebuild()
    {
        Version++;
        for (int i = 0; i < _base.Length; i++)
        {
            List<MediumLink> links = new(_base[i].Length);
            foreach (RadioLink link in _base[i])
            {
                double ratio = Ratio(i + 1, link);
                if (ratio > 0)
                {
                    links.Add(new MediumLink(link.To, (ulong)Math.Round(ratio * One), link.RssiDbm));
                }
            }

            _links[i] = [.. links];
        }
    }

    private double Ratio(int from, in RadioLink link)
    {
        long pair = Pair(from, link.To);
        if (_off[from - 1] || _off[link.To - 1] || _group[from - 1] != _group[link.To - 1] || _cut.Contains(pair))
        {
            return 0;
        }

        return _lossOfPair.TryGetValue(pair, out double ofPair) ? 1 - ofPair : _lossOfAll is double ofAll ? 1 - ofAll : link.DeliveryRatio;
    }

    private static long Pair(int a, int b) => ((long)Math.Min(a, b) << 32) | (uint)Math.Max(a, b);

    private static void CheckLoss(double loss)
    {
        if (!(loss is >= 0 and <= 1))
        {
            throw new InputException($"loss: {loss} is not between 0 and 1");
        }
    }

    private int Index(int node)
    {
        if (node < 1 || node > _base.Length)
        {
            throw new InputException($"node {node}: not between 1 and {_base.Length}");
        }

        return node - 1;
    }
}
