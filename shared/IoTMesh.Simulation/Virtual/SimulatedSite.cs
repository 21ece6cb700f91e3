using IoTMesh.Core;

namespace IoTMesh.Simulation;

/// <summary>The platform's AES and HMAC with a seeded generator, so that a run repeats bit by bit. Its "random" bytes are no secret.</summary>
internal sealed class SeededCrypto(SeededRandom random) : ICrypto
{
    private readonly PlatformCrypto _platform = new();

    public IBlockCipher CreateAes(byte[] key) => _platform.CreateAes(key);

    public void HmacSha256(byte[] key, byte[] data, int count, byte[] mac) => _platform.HmacSha256(key, data, count, mac);

    public void FillRandom(byte[] buffer) => random.Fill(buffer);
}

/// <summary>The keys of a site whose secret comes from the seed, as its owner would have provisioned them.</summary>
internal sealed class SimulatedSite : IDeviceKeys
{
    private const uint Epoch = 1;
    private readonly ICrypto _crypto;
    private readonly byte[] _secret = new byte[32];
    private readonly byte[] _networkKey;
    private readonly ushort _networkId;
    private readonly HashSet<int> _revoked = [];
    private readonly ulong[] _coefficients;
    private readonly byte[]?[] _deviceKeys;
    private readonly byte[]?[] _shares;

    internal SimulatedSite(int nodes, ulong seed)
    {
        _crypto = new SeededCrypto(new SeededRandom(seed, 0x6B6579));
        _crypto.FillRandom(_secret);
        _networkKey = SiteKeys.CreateNetworkKey(_crypto, _secret, Epoch);
        _networkId = SiteKeys.CreateNetworkId(_crypto, _secret);
        _coefficients = PairwiseKeys.CreateCoefficients(_crypto, _secret);
        _deviceKeys = new byte[nodes][];
        _shares = new byte[nodes][];
    }

    /// <param name="mustJoin">The node has not been given the network key.</param>
    /// <param name="record">What the node has stored of network keys, or null.</param>
    internal MeshKeys KeysOf(int node, bool isGateway, bool mustJoin = false, byte[]? record = null)
    {
        var keys = new MeshKeys
        {
            NetworkKey = mustJoin && !isGateway ? null : _networkKey,
            Epoch = Epoch,
            NetworkId = _networkId,
            DeviceKey = isGateway ? null : DeviceKey(node),
            PairwiseShare = _shares[node - 1] ??= PairwiseKeys.CreateShare(_coefficients, Topology.AddressOf(node)),
            Devices = isGateway ? this : null,
        };
        keys.Restore(record);
        return keys;
    }

    /// <summary>Takes a device's membership away for good.</summary>
    internal void Revoke(int node) => _revoked.Add(node);

    internal bool IsRevoked(int node) => _revoked.Contains(node);

    public JoinVerdict MayJoin(ushort address) => _revoked.Contains(address) ? JoinVerdict.Revoked : JoinVerdict.Accepted;

    public bool TryGetNetworkKey(uint epoch, byte[] key)
    {
        SiteKeys.CreateNetworkKey(_crypto, _secret, epoch).CopyTo(key, 0);
        return true;
    }

    public bool TryGetDeviceKey(ushort address, byte[] key)
    {
        if (address < 1 || address > _deviceKeys.Length)
        {
            return false;
        }

        DeviceKey(address).CopyTo(key, 0);
        return true;
    }

    private byte[] DeviceKey(int node) => _deviceKeys[node - 1] ??= SiteKeys.CreateDeviceKey(_crypto, _secret, Topology.AddressOf(node));
}
