using IoTMesh.Core;

namespace IoTMesh.Driver.Tests.Bench;

/// <summary>Keys of one made-up site, as enrolment would give them.</summary>
public sealed class TestSite : IDeviceKeys
{
    private readonly byte[] _secret = [.. Enumerable.Range(1, 32).Select(i => (byte)(i * 7))];
    private readonly PlatformCrypto _crypto = new();

    public byte[] NetworkKey => SiteKeys.CreateNetworkKey(_crypto, _secret, 0);

    public byte[] DeviceKey(ushort address) => SiteKeys.CreateDeviceKey(_crypto, _secret, address);

    public byte[] Share(ushort address) => PairwiseKeys.CreateShare(_crypto, _secret, address);

    public bool TryGetDeviceKey(ushort address, byte[] key)
    {
        DeviceKey(address).CopyTo(key, 0);
        return true;
    }

    public JoinVerdict MayJoin(ushort address) => JoinVerdict.Accepted;

    public bool TryGetNetworkKey(uint epoch, byte[] key) => false;

    public MeshNode CreateNode(ushort address, bool isGateway, byte[]? counters = null)
    {
        var config = new MeshConfig { Address = address, IsGateway = isGateway };
        var keys = new MeshKeys
        {
            NetworkKey = NetworkKey,
            DeviceKey = isGateway ? null : DeviceKey(address),
            Devices = isGateway ? this : null,
            PairwiseShare = Share(address),
        };
        return new MeshNode(config, keys, _crypto, address * 77u, counters);
    }
}
