namespace IoTMesh.Core;

/// <summary>Keys that provisioning put on this node. All byte arrays are copied or kept for the node's life; do not change them.</summary>
public sealed class MeshKeys
{
    /// <summary>
    /// Network key of <see cref="Epoch"/>, 16 bytes: authenticates frames hop by hop. Null: the node has to join first
    /// (protocol.md 8.7), which takes <see cref="DeviceKey"/>.
    /// </summary>
    public byte[] NetworkKey;

    /// <summary>Number of the network key; its low two bits are on air.</summary>
    public uint Epoch;

    /// <summary>The network key of a later epoch that this node has been given already, or null.</summary>
    public byte[] NextNetworkKey;

    /// <summary>Number of <see cref="NextNetworkKey"/>.</summary>
    public uint NextEpoch;

    /// <summary>Tells this site's frames from others' on air (its low three bits); no secret. <see cref="SiteKeys.CreateNetworkId"/>.</summary>
    public ushort NetworkId;

    /// <summary>This device's own key, 16 bytes, shared with the site's gateways. A gateway leaves it null.</summary>
    public byte[] DeviceKey;

    /// <summary>
    /// This node's share of the site's symmetric polynomial, <see cref="PairwiseKeys.ShareLength"/> bytes: with it any two
    /// nodes of a site compute a key of their own with no one's help. protocol.md 8.3.
    /// </summary>
    public byte[] PairwiseShare;

    /// <summary>Gateways: the keys of all devices of the site. Nodes leave it null.</summary>
    public IDeviceKeys Devices;

    /// <summary>
    /// Takes over what a node stored as <see cref="StoreRecord.Keys"/>; false, and nothing taken, for null, a damaged record and another network.
    /// </summary>
    public bool Restore(byte[] record)
    {
        return KeysRecord.Read(record, this);
    }
}

/// <summary>The site's device keys, as a gateway knows them. Called on the mesh thread: answers from memory, never blocks.</summary>
public interface IDeviceKeys
{
    /// <summary>Writes the 16-byte key of the device with that mesh address; false where it is not enrolled.</summary>
    bool TryGetDeviceKey(ushort address, byte[] key);

    /// <summary>Whether the device with that address, whose key is known, may join now.</summary>
    JoinVerdict MayJoin(ushort address);

    /// <summary>Writes the 16-byte network key of an epoch; false where this gateway does not have it.</summary>
    bool TryGetNetworkKey(uint epoch, byte[] key);
}

/// <summary>What became of a device's attempt to join.</summary>
public enum JoinVerdict : byte
{
    Accepted = 0,

    /// <summary>Nobody enrolled a device with that address.</summary>
    NotEnrolled = 1,

    /// <summary>Its owner took its membership away.</summary>
    Revoked = 2,

    /// <summary>It has not joined before, and nobody permits joining at present.</summary>
    Closed = 3,

    /// <summary>Its counters have started anew: to go on would repeat nonces. It has to be enrolled as a new device.</summary>
    CountersLost = 4,

    /// <summary>Its proof is wrong: it does not have the device's key.</summary>
    BadProof = 5,
}

/// <summary>AES-128 and HMAC-SHA256 as the platform has them. One implementation file a platform.</summary>
public interface ICrypto
{
    /// <summary>A keyed AES-128 (16-byte key, copied).</summary>
    IBlockCipher CreateAes(byte[] key);

    /// <summary>
    /// HMAC-SHA256 (RFC 2104) of <c>data[0..count)</c>; writes 32 bytes to <paramref name="mac"/>. Not for the data path: may allocate.
    /// </summary>
    void HmacSha256(byte[] key, byte[] data, int count, byte[] mac);

    /// <summary>Fills the buffer from the platform's cryptographic generator.</summary>
    void FillRandom(byte[] buffer);
}

/// <summary>One AES-128 key. Counts are multiples of 16.</summary>
public interface IBlockCipher
{
    /// <summary>Encrypts whole blocks independently (ECB), for counter mode.</summary>
    void EncryptBlocks(byte[] input, int count, byte[] output);

    /// <summary>The last block of a CBC encryption with a zero IV (CBC-MAC); writes 16 bytes to <paramref name="mac"/>.</summary>
    void CbcMac(byte[] input, int count, byte[] mac);
}
