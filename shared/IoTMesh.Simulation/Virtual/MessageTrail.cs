using IoTMesh.Core;

namespace IoTMesh.Simulation;

/// <summary>A message came back to a node that had passed it on.</summary>
/// <param name="Nodes">The way round: from the node, over those between, without the node again.</param>
/// <param name="Targets">For each, where the message was headed when it left: its gateway where it keeps to one, else its destination.</param>
/// <param name="LeftUs">When the first of the links was crossed.</param>
public sealed record Revisit(ushort Origin, uint Counter, IReadOnlyList<int> Nodes, IReadOnlyList<ushort> Targets, long LeftUs);

/// <summary>
/// The links that messages crossed lately, as frames that were accepted show them, to find messages that come back. Keeps the last
/// <see cref="Capacity"/>; the headers of messages are no secret.
/// </summary>
internal sealed class MessageTrail
{
    internal const int Capacity = 1 << 14;
    private const int Mask = Capacity - 1;
    private const int None = -1;
    private readonly MessageHeader _header = new();
    private readonly int[] _heads = new int[Capacity];
    private readonly Crossing[] _crossings = new Crossing[Capacity];
    private long _next;
    private Revisit? _revisit;

    internal MessageTrail() => Array.Fill(_heads, None);

    /// <summary>Messages that could not be read: 0 as long as this code knows the frames.</summary>
    internal long Unread { get; private set; }

    /// <summary>Takes the messages of an accepted frame; frames that hold none are left alone.</summary>
    /// <returns>False where <see cref="Found"/> has nothing new.</returns>
    internal bool Add(byte[] frame, int length, int from, int to, long nowUs)
    {
        _revisit = null;

        // Messages with waypoints (protocol.md 5.7) follow those and not the next hops of nodes.
        if (FrameFormat.GetType(frame[0]) != FrameFormat.TypeData || HasWaypoints(frame))
        {
            return false;
        }

        int end = length - FrameFormat.TagLength;
        int at = FirstMessage(frame);
        while (at < end)
        {
            if (_header.Parse(frame, at, end, Topology.AddressOf(from)) != ParseError.None)
            {
                Unread++;
                break;
            }

            AddMessage(from, to, nowUs);
            at = _header.BodyOffset + _header.BodyLength;
        }

        return _revisit is not null;
    }

    /// <summary>The last revisit that the last <see cref="Add"/> found.</summary>
    internal Revisit? Found => _revisit;

    private static bool HasWaypoints(byte[] frame) => (frame[FrameFormat.OffsetNetwork] & FrameFormat.FlagExtension) != 0;

    /// <summary>Behind header, riding ack, cost, and the age of a real-time frame.</summary>
    private static int FirstMessage(byte[] frame)
    {
        bool ackRides = (frame[FrameFormat.OffsetNetwork] & FrameFormat.FlagAck) != 0;
        bool hasAge = (frame[FrameFormat.OffsetKind] & 3) == (int)MeshClass.RealTime;
        return FrameFormat.HeaderLength(FrameFormat.TypeData) + (ackRides ? FrameFormat.RidingAckLength : 0) + (hasAge ? 2 : 1);
    }

    private void AddMessage(int from, int to, long nowUs)
    {
        uint key = ((uint)_header.Origin << 16) | (ushort)_header.Counter;
        int bucket = (int)((key * 2_654_435_761u) >> (32 - 14));
        ushort target = _header.Via != MeshAddress.None ? _header.Via : _header.Destination;
        Crossing crossing = new()
        {
            Key = key,
            Number = _next,
            Previous = _heads[bucket],
            From = from,
            To = to,
            HopLimit = _header.HopLimit,
            Target = target,
            TimeUs = nowUs,
        };
        int slot = (int)(_next++ & Mask);
        _crossings[slot] = crossing;
        _heads[bucket] = slot;
        if (HasLeft(crossing, to))
        {
            _revisit = WalkBack(crossing, to) ?? _revisit;
        }
    }

    /// <summary>Whether the message left a node with more hops before it than it has now.</summary>
    private bool HasLeft(in Crossing last, int node)
    {
        long before = last.Number;
        for (int slot = last.Previous; IsLive(slot, before); slot = _crossings[slot].Previous)
        {
            ref Crossing crossing = ref _crossings[slot];
            if (crossing.Key == last.Key && crossing.From == node && crossing.HopLimit > last.HopLimit)
            {
                return true;
            }

            before = crossing.Number;
        }

        return false;
    }

    /// <summary>The way round, from the last link back to where the message left the node; null where the trail does not show it whole.</summary>
    private Revisit? WalkBack(in Crossing last, int node)
    {
        List<int> nodes = [last.From];
        List<ushort> targets = [last.Target];
        Crossing at = last;
        while (at.From != node)
        {
            int slot = at.Previous;
            long before = at.Number;
            while (IsLive(slot, before) && !Precedes(_crossings[slot], at))
            {
                before = _crossings[slot].Number;
                slot = _crossings[slot].Previous;
            }

            if (!IsLive(slot, before))
            {
                return null;
            }

            at = _crossings[slot];
            nodes.Insert(0, at.From);
            targets.Insert(0, at.Target);
        }

        return new Revisit((ushort)(last.Key >> 16), (ushort)last.Key, nodes, targets, at.TimeUs);
    }

    private static bool Precedes(in Crossing before, in Crossing after)
    {
        return before.Key == after.Key && before.To == after.From && before.HopLimit == after.HopLimit + 1;
    }

    /// <summary>False for the end of a chain, also where its rest has been overwritten: there the numbers do not fall.</summary>
    private bool IsLive(int slot, long before) => slot != None && _crossings[slot].Number < before && _crossings[slot].Number >= _next - Capacity;

    private struct Crossing
    {
        internal long Number;
        internal long TimeUs;
        internal uint Key;
        internal int Previous;
        internal int From;
        internal int To;
        internal byte HopLimit;
        internal ushort Target;
    }
}
