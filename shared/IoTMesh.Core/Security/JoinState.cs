namespace IoTMesh.Core;

/// <summary>Where a device stands that asks for membership. It exists only meanwhile.</summary>
internal sealed class JoinState
{
    internal const byte Searching = 0;
    internal const byte Asking = 1;
    internal const byte Proving = 2;
    internal const byte Resting = 3;

    internal readonly JoinProof Proof;
    internal readonly byte[] Nonce = new byte[JoinFormat.NonceLength];
    internal readonly byte[] GatewayNonce = new byte[JoinFormat.NonceLength];
    internal byte Step;
    internal byte Tries;
    internal byte Searches;
    internal ushort Gateway;

    /// <summary>The member that passes things on, or None.</summary>
    internal ushort Proxy;

    /// <summary>The member that did not help last time: taken again only where no other offers.</summary>
    internal ushort Avoided;
    internal int Worth;
    internal long DueMs;

    internal JoinState(ICrypto crypto, byte[] deviceKey)
    {
        Proof = new JoinProof(crypto, deviceKey);
    }
}
