using System.Runtime.InteropServices;
using IoTMesh.Core;

namespace IoTMesh.Core.Tests.Routing.Model;

/// <summary>
/// Visits every state that real route tables on a small graph can get into. Whatever a node ever advertised may reach each of its
/// neighbors at any later time, again and again, or never: that is every order of delivery, every loss and every duplication in
/// one. Challenges, their answers, lost neighbors, links that grow dear and reboots may come at any time too, up to a bound.
/// </summary>
internal sealed partial class ModelExplorer
{
    private const int Budgets = 4;
    private const int WordsOfSaid = 4;
    private readonly ModelBounds _bounds;
    private readonly int _count;
    private readonly IReadOnlyList<(int A, int B)> _edges;
    private readonly List<int>[] _near;
    private readonly ModelNode[] _nodes;
    private readonly int _nodeLength;
    private readonly int _saidAt;
    private readonly int _length;
    private readonly Dictionary<Said, int> _numbers = [];
    private readonly List<Said> _allSaid = [];
    private readonly Dictionary<UInt128, List<Reach>> _visited = [];
    private readonly List<(int Parent, Step Step)> _history = [];
    private readonly LinkedList<(byte[] State, int Number)>[] _waiting;
    private readonly byte[] _next;
    private readonly ulong[] _said = new ulong[WordsOfSaid];
    private readonly byte[] _used = new byte[Budgets];
    private byte _seqNo;
    private byte _destinationBoot;
    private long _routed;
    private string? _loop;

    /// <param name="lateEdges">Links that are there only after the routes have settled over the others.</param>
    internal ModelExplorer(
        int count, IReadOnlyList<(int A, int B)> edges, IReadOnlyList<(int A, int B)> lateEdges, ModelBounds bounds, Weakness weakness)
    {
        _bounds = bounds;
        _count = count;
        _edges = edges;
        _near = NearBy([.. edges, .. lateEdges]);
        _nodes = [.. Enumerable.Range(0, count).Select(_ => new ModelNode(count, weakness))];
        _nodeLength = _nodes[0].Length;
        _saidAt = ((count - 1) * _nodeLength) + 2 + Budgets;
        _length = _saidAt + (WordsOfSaid * sizeof(ulong));
        _next = new byte[_length];
        int levels = bounds.Losses + bounds.Worsenings + bounds.SeqNos + bounds.Reboots + 1;
        _waiting = [.. Enumerable.Range(0, levels).Select(_ => new LinkedList<(byte[] State, int Number)>())];
    }

    private List<int>[] NearBy(IReadOnlyList<(int A, int B)> edges)
    {
        return [.. Enumerable.Range(0, _count).Select(node => edges.Where(e => e.A == node || e.B == node)
            .Select(e => e.A == node ? e.B : e.A).ToList())];
    }

    private enum Kind
    {
        Start,
        Beacon,
        Probe,
        Reply,
        Lose,
        Worsen,
        Raise,
        Reboot,
    }

    /// <param name="isHunt">The fewest events first, which finds a loop soon; else what says most first, which covers most soon.</param>
    internal ModelResult Run(long statesMax, bool isHunt)
    {
        _seqNo = 1;
        _destinationBoot = 1;
        for (int node = 1; node < _count; node++)
        {
            // All know each other from before; what an unverified neighbor says is as good as lost.
            _near[node].ForEach(neighbor => _nodes[node].HearProbeReply(neighbor, 1));
        }

        SayNews(0);
        for (int round = 0; _bounds.IsSettled && round < _count; round++)
        {
            Settle();
        }

        if (_bounds.NewsUnderWay)
        {
            _seqNo++;
            SayNews(0);
            int news = _allSaid.Count - 1;
            NearBy(_edges)[0].ForEach(to => Apply(new Step(Kind.Beacon, 0, to, news)));
        }

        for (int node = 1; node < _count; node++)
        {
            SaveNode(node);
        }

        SaveShared();
        Arrive(-1, new Step(Kind.Start, 0, 0, 0));
        foreach (LinkedList<(byte[] State, int Number)> level in _waiting)
        {
            while (_loop is null && level.Count > 0)
            {
                (byte[] state, int number) = isHunt ? level.First!.Value : level.Last!.Value;
                if (isHunt)
                {
                    level.RemoveFirst();
                }
                else
                {
                    level.RemoveLast();
                }

                Assert.True(_history.Count < statesMax, $"more than {statesMax} states: tighten the bounds, or the check is not exhaustive");
                if (IsUncovered(state))
                {
                    Expand(state, number);
                }
            }
        }

        return new ModelResult(_history.Count, _loop, _routed);
    }

    // Everybody hears everything that was said so far, in the order in which it was.
    private void Settle()
    {
        List<int>[] near = NearBy(_edges);
        for (int i = 0; i < _allSaid.Count; i++)
        {
            foreach (int to in near[_allSaid[i].From].Where(to => to != 0))
            {
                Apply(new Step(Kind.Beacon, _allSaid[i].From, to, i));
            }
        }
    }

    private void Expand(byte[] state, int number)
    {
        state.AsSpan(_saidAt).CopyTo(MemoryMarshal.AsBytes<ulong>(_said));
        int[] said = [.. Enumerable.Range(0, _allSaid.Count).Where(i => (_said[i >> 6] >> (i & 63) & 1) != 0)];
        foreach (int i in said)
        {
            Said what = _allSaid[i];
            foreach (int to in what.To >= 0 ? [what.To] : _near[what.From])
            {
                if (to != 0 || what.To >= 0)
                {
                    Try(state, number, new Step(what.To >= 0 ? Kind.Reply : Kind.Beacon, what.From, to, i));
                }
            }
        }

        for (int node = 0; node < _count; node++)
        {
            foreach (int neighbor in _near[node])
            {
                if (node != 0)
                {
                    Try(state, number, new Step(Kind.Probe, node, neighbor, 0));
                    Try(state, number, new Step(Kind.Lose, node, neighbor, 0));
                    Try(state, number, new Step(Kind.Worsen, node, neighbor, 0));
                }
            }

            Try(state, number, new Step(Kind.Reboot, node, 0, 0));
        }

        Try(state, number, new Step(Kind.Raise, 0, 0, 0));
    }

    private void Try(byte[] state, int number, Step step)
    {
        // Only the nodes that take part are set up and taken down; the others keep what the state says of them.
        state.CopyTo(_next, 0);
        LoadShared(state);
        LoadNode(state, step.A);
        LoadNode(state, step.B);
        if (_loop is null && Apply(step))
        {
            SaveNode(step.A);
            SaveNode(step.B);
            SaveShared();
            Arrive(number, step);
        }
    }

    private bool Apply(Step step)
    {
        ModelNode node = _nodes[step.A];
        switch (step.Kind)
        {
            case Kind.Beacon:
                Said said = _allSaid[step.What];
                _nodes[step.B].HearBeacon(said.From, said.Boot, said.SeqNo, said.Metric, said.HasEntry);
                SayNews(step.B);
                return true;
            case Kind.Probe:
                if (step.B != 0)
                {
                    _nodes[step.B].HearProbe(step.A, node.Boot);
                    SayNews(step.B);
                }

                Said answer = new(step.B, step.A, BootOf(step.B), node.Boot, 0, 0, false);
                if (_bounds.LateReplies)
                {
                    Say(answer);
                    return true;
                }

                node.HearProbeReply(step.B, answer.Boot);
                SayNews(step.A);
                return true;
            case Kind.Reply:
                Said reply = _allSaid[step.What];
                if (reply.ToBoot != _nodes[step.B].Boot)
                {
                    return false;
                }

                _nodes[step.B].HearProbeReply(reply.From, reply.Boot);
                SayNews(step.B);
                return true;
            case Kind.Lose when _used[0]++ < _bounds.Losses:
                node.Lose(step.B);
                SayNews(step.A);
                return true;
            case Kind.Worsen when _used[1]++ < _bounds.Worsenings:
                node.Worsen(step.B);
                SayNews(step.A);
                return true;
            case Kind.Raise when _used[2]++ < _bounds.SeqNos:
                _seqNo++;
                SayNews(0);
                return true;
            case Kind.Reboot when _used[3]++ < _bounds.Reboots:
                Reboot(step.A);
                return true;
            default:
                return false;
        }
    }

    private void Reboot(int node)
    {
        if (node == 0)
        {
            // A node starts beyond the seqnos that it had reserved.
            _destinationBoot++;
            _seqNo++;
        }
        else
        {
            _nodes[node].Reboot();
        }

        SayNews(node);
    }

    private byte BootOf(int node) => node == 0 ? _destinationBoot : _nodes[node].Boot;

    /// <summary>What the node would put into a beacon now is said from now on; that no beacon may go out is the same as its loss.</summary>
    private void SayNews(int node)
    {
        ModelNode at = _nodes[node];
        if (node != 0 && !at.HasRoute && at.Boot == 1)
        {
            return;
        }

        Say(node == 0 ? new Said(0, -1, _destinationBoot, 0, _seqNo, 0, true)
            : new Said(node, -1, at.Boot, 0, at.HasRoute ? at.SeqNoAdvertised : (ushort)0, at.HasRoute ? at.Metric : (ushort)0, at.HasRoute));
    }

    private void Say(Said said)
    {
        if (!_numbers.TryGetValue(said, out int number))
        {
            number = _allSaid.Count;
            Assert.True(number < WordsOfSaid * 64, "more different messages than the state has bits for: tighten the bounds");
            _numbers.Add(said, number);
            _allSaid.Add(said);
        }

        _said[number >> 6] |= 1UL << (number & 63);
    }

    private void Arrive(int parent, Step step)
    {
        if (!IsNew())
        {
            return;
        }

        int number = _history.Count;
        _history.Add((parent, step));
        _waiting[_used.Sum(used => used)].AddLast(([.. _next], number));
        bool routed = true;
        for (int node = 1; node < _count; node++)
        {
            routed &= NextHopOf(node) >= 0;
            if (IsInCycle(node))
            {
                _loop ??= Tell(number);
            }
        }

        _routed += routed ? 1 : 0;
    }

    private bool IsInCycle(int start)
    {
        int at = start;
        for (int hops = 0; hops <= _count; hops++)
        {
            int next = NextHopOf(at);
            if (next <= 0 || !ModelNode.TakesIn(_next, (next - 1) * _nodeLength, at))
            {
                return false;
            }

            at = next;
        }

        return true;
    }

    private int NextHopOf(int node) => ModelNode.NextHopIn(_next, (node - 1) * _nodeLength);

    private string Tell(int number)
    {
        var steps = new List<string>();
        for (int at = number; at >= 0; at = _history[at].Parent)
        {
            Step step = _history[at].Step;
            string what = step.Kind is Kind.Beacon or Kind.Reply ? " " + _allSaid[step.What] : "";
            steps.Add($"{step.Kind} {step.A} {step.B}{what}");
        }

        steps.Reverse();
        return string.Join("; ", steps) + "; next hops "
            + string.Join(" ", Enumerable.Range(1, _count - 1).Select(node => $"{node}>{NextHopOf(node)}"));
    }
}
