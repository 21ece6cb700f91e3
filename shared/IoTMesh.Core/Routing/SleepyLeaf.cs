namespace IoTMesh.Core;

/// <summary>What a sleepy leaf is doing. protocol.md 5.9.</summary>
internal static class LeafState
{
    /// <summary>Nothing is under way but what the queue holds; the radio may be off until WakeMs.</summary>
    internal const byte Asleep = 0;

    /// <summary>Has asked around for beacons and challenges who answers.</summary>
    internal const byte Searching = 1;

    /// <summary>Has sent a poll and waits for its ack.</summary>
    internal const byte Polling = 2;

    /// <summary>Was told that something waits for it, and listens.</summary>
    internal const byte Listening = 3;
}

/// <summary>State of a node that is a sleepy leaf.</summary>
internal sealed class SleepyLeaf
{
    internal byte State;
    internal ushort Parent;

    /// <summary>When to wake, where nothing wakes it before.</summary>
    internal long WakeMs;

    /// <summary>Frame counter of the poll under way, 0 for none.</summary>
    internal uint PollCounter;
    internal byte PollTries;

    /// <summary>Polls since it woke.</summary>
    internal byte PollsAwake;

    /// <summary>Searches since the last poll that was answered.</summary>
    internal byte Searches;

    /// <summary>Answered polls until it looks around again, and how many there will be then.</summary>
    internal byte PollsToSearch;
    internal byte SearchPeriod = 1;
    internal bool KnowsGateway;

    /// <summary>Polls in a row that were early because an answer is awaited.</summary>
    internal byte QuickPolls;

    /// <summary>The ack being read says that something waits.</summary>
    internal bool IsMailPending;

    /// <summary>
    /// The slot in which a leaf wakes: UTC modulo the period is in <c>[result, result + slot)</c>. Addresses spread over the
    /// period; those of one group stay together, spread over 8 slots. protocol.md 5.9.
    /// </summary>
    internal static long PhaseMs(ushort address, ushort group, long periodMs, int slotMs)
    {
        long slots = periodMs / slotMs;
        if (slots < 1)
        {
            return 0;
        }

        // 40503 is 2^16 over the golden ratio: neighboring addresses land far apart.
        long slot = (group == 0 ? address : group) * 40503L % 65536 * slots / 65536;
        return (slot + (group == 0 ? 0 : address % 8)) % slots * slotMs;
    }
}
