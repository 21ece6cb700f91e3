using IoTMesh.Core;

namespace IoTMesh.Simulation;

public sealed partial class VirtualMesh
{
    private const double DuplicateSpreadMs = 20;
    private const int FlippedBitsMax = 8;
    private readonly MessageTrail _trail = new();
    private readonly NeighborInfo _neighbor = new();
    private readonly HashSet<ushort> _listed = [];

    /// <summary>Messages in accepted frames that the checkers could not read.</summary>
    internal long UnreadCount => _trail.Unread;

    /// <summary>Frames that were handed over with wrong bits so far.</summary>
    public long CorruptedCount { get; private set; }

    /// <summary>Gives a received frame to a node: as it is, or as <see cref="RadioSpec"/> disturbs it.</summary>
    /// <returns>What became of it.</returns>
    private Fate HandOver(Flight flight, VirtualNode receiver, sbyte rssiDbm)
    {
        if (!IsForCore(flight, receiver, isForOthers: false))
        {
            return Fate.Lost;
        }

        if (receiver.Core is not null && !IsListening(receiver))
        {
            // Its radio is off.
            return Fate.Lost;
        }

        if (_disturbance is not null)
        {
            return Disturb(_disturbance, flight, receiver, rssiDbm);
        }

        if (receiver.Core is MeshNode core)
        {
            ParseError error = core.HandleFrame(LocalMs(receiver), flight.Frame, 0, flight.Length, rssiDbm);
            NoteReception(flight, receiver, error);
            Touch(receiver);
        }

        return Fate.Delivered;
    }

    private Fate Disturb(SeededRandom random, Flight flight, VirtualNode receiver, sbyte rssiDbm)
    {
        RadioSpec radio = _options.Radio;
        bool isTwice = random.NextDouble() < radio.Duplicate;
        bool isReplayed = random.NextDouble() < radio.Replay;
        bool isCorrupt = random.NextDouble() < radio.Corrupt;
        Copies copies = new();
        long delayUs = (long)(random.NextDouble() * radio.DelayMs * 1000);
        AddCopy(delayUs, isCorrupt);
        if (isTwice)
        {
            AddCopy((long)(random.NextDouble() * (radio.DelayMs > 0 ? radio.DelayMs : DuplicateSpreadMs) * 1000), isCorrupt: false);
        }

        if (isReplayed)
        {
            AddCopy((long)(radio.ReplaySeconds * 1e6), isCorrupt: false);
        }

        return isCorrupt ? Fate.Corrupted : Fate.Delivered;

        void AddCopy(long afterUs, bool isCorrupt)
        {
            int slot = _flights.TakeCopy(flight, receiver.Id, rssiDbm, copies);
            if (isCorrupt)
            {
                Flip(_flights[slot], random);
            }

            _events.Add(NowUs + afterUs, EventKind.Copy, slot);
        }
    }

    private void Flip(Flight copy, SeededRandom random)
    {
        copy.IsChanged = true;
        CorruptedCount++;
        byte[] before = copy.Frame[..copy.Length];
        for (int flips = 1 + random.NextInt(FlippedBitsMax); flips > 0; flips--)
        {
            copy.Frame[random.NextInt(copy.Length)] ^= (byte)(1 << random.NextInt(8));
        }

        // Two flips of one bit undo each other.
        if (before.AsSpan().SequenceEqual(copy.Frame.AsSpan(0, copy.Length)))
        {
            copy.Frame[0] ^= 1;
        }
    }

    private void HandleCopy(int slot)
    {
        Flight copy = _flights[slot];
        VirtualNode receiver = _nodes[copy.Destination - 1];
        if (receiver.Core is MeshNode core && Medium.IsOn(receiver.Id))
        {
            bool isForgotten = copy.Copies!.AcceptedIn == receiver.Incarnation
                && (!Knows(core, copy.From) || receiver.GivenUpUs.GetValueOrDefault(Topology.AddressOf(copy.From), -1) >= copy.Copies.AcceptedUs);
            ParseError error = core.HandleFrame(LocalMs(receiver), copy.Frame, 0, copy.Length, copy.RssiDbm);

            // A join frame has no hop tag: what it says is believed by the proofs within only.
            if (error == ParseError.None && FrameFormat.GetType(copy.Frame[0]) != FrameFormat.TypeJoin)
            {
                CheckCopy(copy, receiver, isForgotten);
            }

            if (!copy.IsChanged)
            {
                NoteReception(copy, receiver, error);
            }

            Touch(receiver);
        }

        _flights.Free(slot);
    }

    /// <summary>Whom the node has forgotten since the last look: its replay window went with it.</summary>
    private void NoteForgotten(VirtualNode node)
    {
        _listed.Clear();
        for (int i = 0; i < node.Core!.NeighborCount; i++)
        {
            node.Core.GetNeighbor(i, _neighbor);
            _listed.Add(_neighbor.Address);
        }

        foreach (ushort known in node.Listed)
        {
            if (!_listed.Contains(known))
            {
                node.GivenUpUs[known] = NowUs;
            }
        }

        node.Listed.Clear();
        node.Listed.UnionWith(_listed);
    }

    private bool Knows(MeshNode core, int sender)
    {
        for (int i = 0; i < core.NeighborCount; i++)
        {
            core.GetNeighbor(i, _neighbor);
            if (_neighbor.Address == sender)
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>
    /// No life of a node may accept a frame twice, nor one that was changed on the way. Only from a sender that it has given up or
    /// forgotten in between, and its replay window with it, may a frame come again: it makes that sender no more than a heard neighbor
    /// that must answer a challenge (protocol.md 5.3), and messages have windows of their own, which other checks watch.
    /// </summary>
    private void CheckCopy(Flight copy, VirtualNode receiver, bool isForgotten)
    {
        if (copy.IsChanged)
        {
            _observer.Violated($"node {receiver.Id} accepted a frame of node {copy.From} with wrong bits");
        }
        else if (copy.Copies!.AcceptedIn == receiver.Incarnation && !isForgotten)
        {
            _observer.Violated($"node {receiver.Id} accepted a frame of node {copy.From} twice");
        }

        copy.Copies!.AcceptedIn = receiver.Incarnation;
        copy.Copies.AcceptedUs = NowUs;
    }

    /// <summary>Follows messages as frames really carry them.</summary>
    private void NoteReception(Flight flight, VirtualNode receiver, ParseError error)
    {
        // Where somebody repeats frames of others, they tell nothing of ways.
        if (_attackerCount == 0 && error == ParseError.None && _trail.Add(flight.Frame, flight.Length, flight.From, receiver.Id, NowUs))
        {
            _observer.Revisited(_trail.Found!);
        }
    }

    /// <summary>The copies of one reception.</summary>
    private sealed class Copies
    {
        /// <summary>Life of the receiver in which it accepted one; 0 for none.</summary>
        internal int AcceptedIn;
        internal long AcceptedUs;
    }
}
