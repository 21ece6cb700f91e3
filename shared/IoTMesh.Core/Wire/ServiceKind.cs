namespace IoTMesh.Core;

/// <summary>First plaintext byte of a message of kind <see cref="MessageKind.Service"/>. protocol.md 4.2.</summary>
public static class ServiceKind
{
    public const byte Fragment = 1;
    public const byte FragmentAck = 2;

    /// <summary>Asks for an answer where its hop limit ends. protocol.md 7.</summary>
    public const byte Trace = 3;
    public const byte TraceAnswer = 4;

    /// <summary>Asks for rows of a table. protocol.md 7.</summary>
    public const byte TableRequest = 5;
    public const byte TableAnswer = 6;

    /// <summary>A reading of an earlier boot of its origin. protocol.md 6.4.</summary>
    public const byte KeptReading = 7;

    /// <summary>Tells a gateway this node's next hop towards it. protocol.md 5.7.</summary>
    public const byte ParentReport = 8;

    /// <summary>What a device that joins says to a gateway, passed on by a member. protocol.md 8.7.</summary>
    public const byte JoinUp = 9;

    /// <summary>What a gateway says to a device that joins, for a member to pass on. protocol.md 8.7.</summary>
    public const byte JoinDown = 10;

    /// <summary>The network key of the next epoch. protocol.md 8.8.</summary>
    public const byte NextKey = 11;
    public const byte NextKeyTaken = 12;
}
