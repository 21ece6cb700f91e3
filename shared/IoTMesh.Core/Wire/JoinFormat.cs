namespace IoTMesh.Core;

/// <summary>Join frames and what device and gateway say in them. protocol.md 8.7.</summary>
public static class JoinFormat
{
    /// <summary>Kind, network, link source, link destination: the rest of a join frame is its body.</summary>
    public const int HeaderLength = 6;

    /// <summary>Low bits of the kind byte: who can help?</summary>
    public const int StepSolicit = 0;

    /// <summary>A member that has a way to a gateway; body: its cost, as in 3.5.</summary>
    public const int StepOffer = 1;

    /// <summary>From the device, for a gateway.</summary>
    public const int StepUp = 2;

    /// <summary>From a gateway, for the device.</summary>
    public const int StepDown = 3;

    public const byte Ask = 1;
    public const byte Challenge = 2;
    public const byte Prove = 3;
    public const byte Admit = 4;
    public const byte Refuse = 5;

    public const int NonceLength = 8;
    public const int TagLength = 8;
    public const int OffsetDevice = 1;
    public const int AskOffsetNonce = 3;
    public const int AskLength = AskOffsetNonce + NonceLength + TagLength;
    public const int OffsetGateway = 3;
    public const int ChallengeOffsetNonce = 5;
    public const int ChallengeLength = ChallengeOffsetNonce + NonceLength + TagLength;
    public const int ProveOffsetNonce = 5;
    public const int ProveOffsetGatewayNonce = ProveOffsetNonce + NonceLength;
    public const int ProveOffsetBoot = ProveOffsetGatewayNonce + NonceLength;
    public const int ProveOffsetCounter = ProveOffsetBoot + 2;
    public const int ProveLength = ProveOffsetCounter + 4 + TagLength;
    public const int AdmitOffsetEpoch = 3;
    public const int AdmitOffsetKey = 7;
    public const int AdmitLength = AdmitOffsetKey + KeySchedule.KeyLength + TagLength;
    public const int RefuseOffsetVerdict = 3;
    public const int RefuseLength = RefuseOffsetVerdict + 1 + TagLength;

    /// <summary>Bytes of a message of that type, or 0 where there is no such type.</summary>
    public static int LengthOf(byte type)
    {
        switch (type)
        {
            case Ask: return AskLength;
            case Challenge: return ChallengeLength;
            case Prove: return ProveLength;
            case Admit: return AdmitLength;
            case Refuse: return RefuseLength;
            default: return 0;
        }
    }
}
