namespace IoTMesh.Core;

/// <summary>
/// Who keeps a place in a full neighbor table and who gives way to whom. Pure functions of what is known about a neighbor, so
/// that the rule stands in one place. protocol.md 5.3.
/// </summary>
internal static class NeighborRank
{
    /// <summary>Heard only, and it does not answer, has refused this node, or was never asked.</summary>
    internal const byte Idle = 0;

    /// <summary>Whatever is reached by it is reached over other neighbors as well.</summary>
    internal const byte Spare = 1;

    /// <summary>The same, and it sends to this node.</summary>
    internal const byte Relying = 2;

    /// <summary>Nobody else leads to it, and it leads nowhere.</summary>
    internal const byte Leaf = 3;

    /// <summary>Nobody else leads to something behind it.</summary>
    internal const byte Bridge = 4;

    /// <summary>A gateway or the next hop towards one, a sleepy child, a sleepy leaf's parent.</summary>
    internal const byte Kept = 5;

    /// <summary>Being asked whether it is there: its turn to answer.</summary>
    internal const byte Newcomer = 6;

    /// <summary>What a newcomer wants a place for: it takes one that is free.</summary>
    internal const byte ClaimNone = 0;

    /// <summary>It may have a place that nobody uses.</summary>
    internal const byte ClaimSpare = 1;

    /// <summary>It is reached over nobody, and was heard just now: others may lead to it in a moment.</summary>
    internal const byte ClaimHeard = 2;

    /// <summary>It has been heard and is still reached over nobody.</summary>
    internal const byte ClaimStranger = 3;

    /// <summary>It is reached over nobody and asks this node itself.</summary>
    internal const byte ClaimAsking = 4;

    /// <summary>It is a gateway, or offers the way to one that no neighbor claims a way to.</summary>
    internal const byte ClaimGateway = 5;

    /// <summary>Where more neighbors have nobody else than there are places they take turns: so long a turn lasts at least, ms.</summary>
    internal const int TurnMs = 5_000;

    // A turn of one that leads to others is longer: giving it up costs all of them their way.
    private const int BridgeTurnMs = 30_000;

    /// <summary>How needed a neighbor is, from what the route table tells.</summary>
    internal const byte NeedNone = 0;
    internal const byte NeedItself = 1;
    internal const byte NeedOthers = 2;
    internal const byte NeedGateway = 3;

    /// <param name="isKept">A sleepy child, or a sleepy leaf's parent.</param>
    /// <param name="isVerified">It answered a challenge.</param>
    /// <param name="isAsked">A challenge to it is under way.</param>
    /// <param name="relies">It sent to this node itself lately.</param>
    /// <param name="need">One of the Need constants.</param>
    internal static byte Of(bool isKept, bool isVerified, bool isAsked, bool relies, byte need)
    {
        if (isKept)
        {
            return Kept;
        }

        if (!isVerified)
        {
            return isAsked ? Newcomer : relies ? Relying : Idle;
        }

        switch (need)
        {
            case NeedGateway:
                return Kept;
            case NeedOthers:
                return Bridge;
            case NeedItself:
                return Leaf;
            default:
                return relies ? Relying : Spare;
        }
    }

    /// <summary>True where a neighbor of that rank, so long in its place, gives way to a newcomer with that claim.</summary>
    internal static bool GivesWay(byte rank, int claim, uint tenureMs)
    {
        switch (rank)
        {
            case Idle:
                return claim >= ClaimSpare;
            case Spare:
            case Relying:
                return claim >= ClaimStranger;
            case Leaf:
                return claim >= ClaimGateway || (claim >= ClaimAsking && tenureMs >= TurnMs);
            case Bridge:
                return claim >= ClaimGateway || (claim >= ClaimAsking && tenureMs >= BridgeTurnMs);
            default:
                return false;
        }
    }
}
