namespace IoTMesh.Core;

/// <summary>
/// Nodes heard directly. Parallel arrays by slot; a slot keeps its number while the neighbor stays. Full: who gives way to whom
/// is <see cref="NeighborRank"/>.
/// </summary>
internal sealed class NeighborTable
{
    internal const int None = -1;

    /// <summary>Heard, but not proven alive: it may be a recording.</summary>
    internal const byte StateHeard = 1;

    /// <summary>Answered a fresh challenge, so it is there now and both directions work.</summary>
    internal const byte StateVerified = 2;

    private const int SamplesTrusted = 4;

    // A neighbor that sent to this node itself within this time relies on it.
    private const int ReliesOnUsMs = 60_000;

    internal readonly int Capacity;
    internal readonly ushort[] Address;
    internal readonly byte[] State;
    internal readonly bool[] CounterKnown;
    internal readonly uint[] CounterHigh;
    internal readonly ulong[] CounterSeen;
    internal readonly sbyte[] RssiDbm;
    internal readonly long[] LastHeardMs;

    /// <summary>Low half of the time when it last sent to this node itself, ms.</summary>
    internal readonly uint[] LastUnicast;

    /// <summary>Low half of the time when it got its place, ms.</summary>
    internal readonly uint[] Since;

    /// <summary>Its <see cref="NeighborRank"/> when a place was last looked for.</summary>
    internal readonly byte[] Rank;
    internal readonly ushort[] Boot;
    internal readonly byte[] Failures;
    internal readonly ushort[] RttMs8;
    internal readonly ushort[] RttVarMs4;

    // Version of the neighbor's route announcements that is fully known here. protocol.md 5.2.
    internal readonly ushort[] SyncVersion;
    internal readonly bool[] InSync;
    internal readonly ushort[] PartsVersion;
    internal readonly ushort[] PartsSeen;
    internal readonly ushort[] PartsShape;
    internal readonly long[] DumpDueMs;
    internal readonly byte[] DumpTries;

    internal readonly uint[] ProbeNonce;
    internal readonly long[] ProbeDueMs;
    internal readonly byte[] ProbeTries;
    internal readonly uint[] ReplyNonce;

    // Acks owed to the neighbor.
    internal readonly uint[] AckHigh;
    internal readonly byte[] AckBits;
    internal readonly bool[] AckOwed;
    internal readonly bool[] AckLong;

    // Whether the next ack is to be sent once more (wanted), and when (planned: the low 16 bits of that time, ms).
    private const byte AgainNo = 0;
    private const byte AgainWanted = 1;
    private const byte AgainPlanned = 2;
    private const int LosesTriesBelow = 240;
    private readonly byte[] _ackAgain;
    private readonly ushort[] _ackAgainAt;

    /// <summary>The link's cost changed since housekeeping last chose next hops by it.</summary>
    internal readonly bool[] CostChanged;

    private readonly ushort[] _linkCost;
    private readonly ushort[] _inRatio;
    private readonly ushort[] _ackRatio;
    private readonly ushort[] _streakRatio;
    private readonly byte[] _ackSamples;
    private readonly byte[] _beaconNumber;
    private readonly bool[] _beaconKnown;
    private readonly int _initialRttMs;

    internal NeighborTable(int capacity, int initialRttMs)
    {
        Capacity = capacity;
        _initialRttMs = initialRttMs;
        Address = new ushort[capacity];
        State = new byte[capacity];
        CounterKnown = new bool[capacity];
        CounterHigh = new uint[capacity];
        CounterSeen = new ulong[capacity];
        RssiDbm = new sbyte[capacity];
        LastHeardMs = new long[capacity];
        LastUnicast = new uint[capacity];
        Since = new uint[capacity];
        Rank = new byte[capacity];
        Boot = new ushort[capacity];
        Failures = new byte[capacity];
        RttMs8 = new ushort[capacity];
        RttVarMs4 = new ushort[capacity];
        SyncVersion = new ushort[capacity];
        InSync = new bool[capacity];
        PartsVersion = new ushort[capacity];
        PartsSeen = new ushort[capacity];
        PartsShape = new ushort[capacity];
        DumpDueMs = new long[capacity];
        DumpTries = new byte[capacity];
        ProbeNonce = new uint[capacity];
        ProbeDueMs = new long[capacity];
        ProbeTries = new byte[capacity];
        ReplyNonce = new uint[capacity];
        AckHigh = new uint[capacity];
        AckBits = new byte[capacity];
        AckOwed = new bool[capacity];
        AckLong = new bool[capacity];
        _ackAgain = new byte[capacity];
        _ackAgainAt = new ushort[capacity];
        CostChanged = new bool[capacity];
        _linkCost = new ushort[capacity];
        _inRatio = new ushort[capacity];
        _ackRatio = new ushort[capacity];
        _streakRatio = new ushort[capacity];
        _ackSamples = new byte[capacity];
        _beaconNumber = new byte[capacity];
        _beaconKnown = new bool[capacity];
    }

    internal int Count { get; private set; }

    internal int VerifiedCount()
    {
        int count = 0;
        for (int i = 0; i < Capacity; i++)
        {
            count += Address[i] != MeshAddress.None && State[i] == StateVerified ? 1 : 0;
        }

        return count;
    }

    internal int Find(ushort address)
    {
        return Scan.IndexOf(Address, Capacity, address);
    }

    /// <summary>True where it sent to this node itself within the last minute.</summary>
    internal bool ReliesOnUs(int slot, long nowMs)
    {
        return (uint)nowMs - LastUnicast[slot] < ReliesOnUsMs;
    }

    /// <summary>
    /// The slot that gives way to a newcomer in a full table, by the ranks in <see cref="Rank"/>: the lowest rank first; of equals that
    /// have other ways the one with the worst link, of the others the one that has had its place longest. None where nobody does.
    /// </summary>
    internal int FindVictim(int claim, long nowMs)
    {
        int victim = None;
        for (int i = 0; i < Capacity; i++)
        {
            uint tenureMs = (uint)nowMs - Since[i];
            if (!NeighborRank.GivesWay(Rank[i], claim, tenureMs))
            {
                continue;
            }

            bool isWorse = victim == None || Rank[i] < Rank[victim];
            if (!isWorse && Rank[i] == Rank[victim])
            {
                isWorse = Rank[i] < NeighborRank.Leaf ? LinkCost(i) > LinkCost(victim) : tenureMs > (uint)nowMs - Since[victim];
            }

            victim = isWorse ? i : victim;
        }

        return victim;
    }

    internal void Occupy(int slot, ushort address, sbyte rssiDbm, long nowMs)
    {
        Address[slot] = address;
        State[slot] = StateHeard;
        CounterKnown[slot] = false;
        RssiDbm[slot] = rssiDbm;
        LastHeardMs[slot] = nowMs;
        LastUnicast[slot] = (uint)(nowMs - ReliesOnUsMs);
        Since[slot] = (uint)nowMs;
        Boot[slot] = 0;
        Failures[slot] = 0;
        RttMs8[slot] = 0;
        RttVarMs4[slot] = 0;
        InSync[slot] = false;
        PartsSeen[slot] = 0;
        DumpDueMs[slot] = long.MaxValue;
        DumpTries[slot] = 0;
        ProbeDueMs[slot] = long.MaxValue;
        ProbeTries[slot] = 0;
        ProbeNonce[slot] = 0;
        ReplyNonce[slot] = 0;
        AckOwed[slot] = false;
        AckLong[slot] = false;
        _ackAgain[slot] = AgainNo;
        AckHigh[slot] = 0;
        AckBits[slot] = 0;
        _inRatio[slot] = LinkQuality.GuessRatio(rssiDbm);
        _ackSamples[slot] = 0;
        _ackRatio[slot] = _inRatio[slot];
        UpdateLinkCost(slot);
        _beaconKnown[slot] = false;
        Count++;
    }

    internal void Free(int slot)
    {
        Address[slot] = MeshAddress.None;
        State[slot] = 0;
        ProbeDueMs[slot] = long.MaxValue;
        DumpDueMs[slot] = long.MaxValue;
        Count--;
    }

    internal bool IsUsable(int slot)
    {
        return State[slot] == StateVerified;
    }

    /// <summary>A data frame was taken over: it is acknowledged with the next ack.</summary>
    internal void OweAck(int slot, uint counter, bool isRepeat, bool twice)
    {
        uint high = AckHigh[slot];
        if (counter > high)
        {
            uint shift = counter - high;
            AckBits[slot] = high == 0 || shift > 8 ? (byte)0 : (byte)((AckBits[slot] << (int)shift) | (1 << (int)(shift - 1)));
            AckHigh[slot] = counter;
        }
        else if (high - counter <= 8 && high != counter)
        {
            AckBits[slot] |= (byte)(1 << (int)(high - counter - 1));
        }

        // The bitmap goes along where it tells something: several frames at once, or signs of a lost ack.
        AckLong[slot] |= AckOwed[slot] || isRepeat || _ackAgain[slot] != AgainNo;
        AckOwed[slot] = true;
        _ackAgain[slot] = twice ? AgainWanted : _ackAgain[slot];
    }

    /// <summary>The ack has gone out; true where it is to go once more at <paramref name="againMs"/>.</summary>
    internal bool NoteAcked(int slot, long againMs)
    {
        AckOwed[slot] = false;
        bool again = _ackAgain[slot] == AgainWanted;
        _ackAgain[slot] = again ? AgainPlanned : AgainNo;
        _ackAgainAt[slot] = (ushort)againMs;
        AckLong[slot] &= again;
        return again;
    }

    internal bool IsAckAgainPlanned(int slot)
    {
        return _ackAgain[slot] == AgainPlanned;
    }

    internal bool IsAckAgainDue(int slot, long nowMs)
    {
        return IsAckAgainPlanned(slot) && AckAgainDueMs(slot, nowMs) <= nowMs;
    }

    internal long AckAgainDueMs(int slot, long nowMs)
    {
        return nowMs + (short)(_ackAgainAt[slot] - (ushort)nowMs);
    }

    /// <summary>More than one try in sixteen is not acknowledged.</summary>
    internal bool LosesTries(int slot)
    {
        return _ackRatio[slot] < LosesTriesBelow;
    }

    internal void HandleHeard(int slot, sbyte rssiDbm, long nowMs)
    {
        LastHeardMs[slot] = nowMs;
        RssiDbm[slot] = RssiDbm[slot] == 0 ? rssiDbm : (sbyte)(((RssiDbm[slot] * 7) + rssiDbm) / 8);
    }

    /// <summary>Counts the beacons missed since the last one: the share of broadcasts that arrive here.</summary>
    internal void HandleBeaconNumber(int slot, byte number)
    {
        if (_beaconKnown[slot])
        {
            if (number == _beaconNumber[slot])
            {
                return;
            }

            int missed = (byte)(number - _beaconNumber[slot] - 1);
            for (int i = 0; i < missed && i < 8; i++)
            {
                _inRatio[slot] = LinkQuality.Observe(_inRatio[slot], false);
            }
        }

        _inRatio[slot] = LinkQuality.Observe(_inRatio[slot], true);
        UpdateLinkCost(slot);
        _beaconKnown[slot] = true;
        _beaconNumber[slot] = number;
    }

    /// <summary>A try was or was not acknowledged.</summary>
    internal void HandleTry(int slot, bool success)
    {
        if (!success && Failures[slot] == 0)
        {
            _streakRatio[slot] = _ackRatio[slot];
        }

        _ackRatio[slot] = LinkQuality.Observe(_ackRatio[slot], success);
        if (_ackSamples[slot] < SamplesTrusted)
        {
            _ackSamples[slot]++;
        }

        UpdateLinkCost(slot);

        Failures[slot] = success ? (byte)0 : Failures[slot] == 255 ? (byte)255 : (byte)(Failures[slot] + 1);
    }

    /// <summary>Failed tries in a row that a link of this quality does not produce by chance: the neighbor is gone.</summary>
    internal int FailuresUntilLost(int slot)
    {
        return LinkQuality.FailuresBeyondChance(_streakRatio[slot]);
    }

    /// <summary>Expected transmissions, 64 = one: measured by acks where there were any, else guessed from beacons as if symmetric.</summary>
    internal int LinkCost(int slot)
    {
        return _linkCost[slot];
    }

    // Looked up for each row of each beacon, so kept rather than divided out each time.
    private void UpdateLinkCost(int slot)
    {
        int ratio = _ackSamples[slot] >= SamplesTrusted ? _ackRatio[slot] : _inRatio[slot] * _inRatio[slot] / LinkQuality.Perfect;
        ushort cost = (ushort)LinkQuality.CostOf(ratio);
        CostChanged[slot] |= cost != _linkCost[slot];
        _linkCost[slot] = cost;
    }

    /// <summary>RFC 6298 section 2 on a frame that was sent once (Karn's rule is the caller's).</summary>
    internal void HandleRtt(int slot, int rttMs)
    {
        if (rttMs > 4000)
        {
            return;
        }

        if (RttMs8[slot] == 0)
        {
            RttMs8[slot] = (ushort)((rttMs * 8) + 1);
            RttVarMs4[slot] = (ushort)(rttMs * 2);
            return;
        }

        int error = rttMs - (RttMs8[slot] / 8);
        int deviation = error < 0 ? -error : error;
        RttVarMs4[slot] = (ushort)(RttVarMs4[slot] - (RttVarMs4[slot] / 4) + deviation);
        RttMs8[slot] = (ushort)(RttMs8[slot] + error);
    }

    internal int RetransmitTimeoutMs(int slot, int minMs)
    {
        if (RttMs8[slot] == 0)
        {
            return _initialRttMs;
        }

        int timeout = (RttMs8[slot] / 8) + RttVarMs4[slot];
        return timeout < minMs ? minMs : timeout > 1000 ? 1000 : timeout;
    }
}
