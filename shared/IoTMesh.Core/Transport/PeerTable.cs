namespace IoTMesh.Core;

/// <summary>
/// End-to-end state of the nodes talked to: boot number, replay window and, at a gateway, which readings came and which are
/// committed. Never evicted, so no flood of strangers can make a replay pass; full: new peers are refused. protocol.md 8.4.
/// </summary>
internal sealed partial class PeerTable
{
    internal const int None = -1;

    internal readonly int Capacity;
    internal readonly ushort[] Address;
    internal readonly ushort[] Boot;
    internal readonly uint[] CounterHigh;
    internal readonly ulong[] CounterSeen;
    internal readonly bool[] IsGateway;

    // Ids of confirmed messages from this peer's present boot: one replay window, so that a repetition is not delivered again.
    internal readonly uint[] ConfirmedHigh;
    internal readonly ulong[] ConfirmedSeen;

    /// <summary>At a gateway: its ciphers come from a device key of the registry.</summary>
    internal readonly bool[] IsDevice;

    // Keyed ciphers, made on first use: one or two objects a peer, kept.
    internal readonly IBlockCipher[] ReceiveCipher;
    internal readonly IBlockCipher[] SendCipher;

    /// <summary>At a gateway: the next hop towards it that this node reported, None for unknown.</summary>
    internal readonly ushort[] Parent;

    // Readings from this origin, at a gateway, by slot: one for each boot. Bit i of the words stands for Watermark + 1 + i.
    internal readonly uint[] Watermark;
    internal readonly ulong[] Received;
    internal readonly ulong[] Committed;
    internal readonly uint[] NewestSeq;
    internal readonly long[] UptimeMs;

    /// <summary>When the origin's uptime was that, on this node's clock.</summary>
    internal readonly long[] UptimeAtMs;
    internal readonly bool[] UptimeKnown;
    internal readonly long[] LastDeliveredMs;
    internal readonly long[] WatermarkDueMs;
    internal readonly long[] WatermarkSentMs;
    internal readonly uint[] WatermarkSent;

    private readonly bool _keepsReadings;

    /// <param name="keepsReadings">At a gateway. Elsewhere no memory is spent on what origins of readings need.</param>
    internal PeerTable(int capacity, bool keepsReadings)
    {
        int origins = keepsReadings ? capacity * (1 + OlderBoots) : 0;
        _olderBoot = new ushort[keepsReadings ? capacity * OlderBoots : 0];
        _olderCounter = new uint[_olderBoot.Length];
        _keepsReadings = keepsReadings;
        Capacity = capacity;
        Address = new ushort[capacity];
        Boot = new ushort[capacity];
        CounterHigh = new uint[capacity];
        CounterSeen = new ulong[capacity];
        IsGateway = new bool[capacity];
        ConfirmedHigh = new uint[capacity];
        ConfirmedSeen = new ulong[capacity];
        IsDevice = new bool[capacity];
        ReceiveCipher = new IBlockCipher[capacity];
        SendCipher = new IBlockCipher[capacity];
        Parent = new ushort[keepsReadings ? capacity : 0];
        Watermark = new uint[origins];
        Received = new ulong[origins];
        Committed = new ulong[origins];
        NewestSeq = new uint[origins];
        UptimeMs = new long[origins];
        UptimeAtMs = new long[origins];
        UptimeKnown = new bool[origins];
        LastDeliveredMs = new long[origins];
        WatermarkDueMs = new long[origins];
        WatermarkSentMs = new long[origins];
        WatermarkSent = new uint[origins];
    }

    internal int Count { get; private set; }

    internal int Find(ushort address)
    {
        return Scan.IndexOf(Address, Count, address);
    }

    internal int FindOrAdd(ushort address)
    {
        int peer = FindOrSpare(address);
        if (peer != None)
        {
            Keep(peer);
        }

        return peer;
    }

    /// <summary>The peer, or the first free slot prepared for it, which is kept only after <see cref="Keep"/>; None when full.</summary>
    internal int FindOrSpare(ushort address)
    {
        int peer = Find(address);
        if (peer != None || Count == Capacity)
        {
            return peer;
        }

        peer = Count;
        Address[peer] = address;
        Forget(peer);
        return peer;
    }

    /// <summary>What is left is the address: keys, counters and readings begin anew.</summary>
    internal void Forget(int peer)
    {
        Boot[peer] = 0;
        CounterHigh[peer] = 0;
        CounterSeen[peer] = 0;
        IsGateway[peer] = false;
        IsDevice[peer] = false;
        ReceiveCipher[peer] = null;
        SendCipher[peer] = null;
        for (int slot = peer; slot < SlotCount; slot += Capacity)
        {
            ForgetReadings(slot);
        }

        if (_keepsReadings)
        {
            Parent[peer] = MeshAddress.None;
        }

        BeginBoot(peer, 0);
    }

    /// <summary>The spare peer has proven itself.</summary>
    internal void Keep(int peer)
    {
        if (peer == Count)
        {
            Count++;
        }
    }

    /// <summary>The peer rebooted: its readings start at 1 again and its uptime at 0.</summary>
    internal void BeginBoot(int peer, ushort boot)
    {
        if (_keepsReadings && Boot[peer] != 0)
        {
            KeepOlder(peer);
        }

        Boot[peer] = boot;
        ConfirmedHigh[peer] = 0;
        ConfirmedSeen[peer] = 0;
        if (_keepsReadings)
        {
            ForgetReadings(peer);
        }
    }

    /// <summary>Everything below <paramref name="floor"/> is no longer held by its origin; the watermark need not wait for it.</summary>
    internal void RaiseFloor(int peer, uint floor)
    {
        while (Watermark[peer] + 1 < floor)
        {
            if (floor - Watermark[peer] > 65)
            {
                Watermark[peer] = floor - 65;
                Received[peer] = 0;
                Committed[peer] = 0;
            }

            Shift(peer);
        }

        ShiftCommitted(peer);
    }

    /// <summary>Marks a reading committed and moves the watermark over all that are contiguous.</summary>
    internal void Commit(int peer, uint seq)
    {
        uint watermark = Watermark[peer];
        if (seq <= watermark || seq - watermark > 64)
        {
            return;
        }

        Committed[peer] |= 1UL << (int)(seq - watermark - 1);
        Received[peer] |= 1UL << (int)(seq - watermark - 1);
        ShiftCommitted(peer);
    }

    private void ShiftCommitted(int peer)
    {
        while ((Committed[peer] & 1) != 0)
        {
            Shift(peer);
        }
    }

    private void Shift(int peer)
    {
        Watermark[peer]++;
        Received[peer] >>= 1;
        Committed[peer] >>= 1;
    }
}
