using IoTMesh.Core;
using IoTMesh.Driver;

namespace IoTMesh.Node;

/// <summary>Puts a node together from its parts; the device's Program, the host and the demo all start here.</summary>
public static class NodeAssembly
{
    private const int InboxCapacity = 4;
    private const int MaxPeers = 32;

    /// <summary>A driver that is ready to start.</summary>
    /// <param name="link">Carries this node's frames; the driver closes it.</param>
    /// <param name="storage">Holds this node's counters: the same at every start of this node, or nonces repeat and peers refuse it.</param>
    public static MeshDriver Create(NodeSettings settings, ILink link, IClock clock, IMeshStorage storage, IMeshApplication application)
    {
        MeshConfig config = new MeshConfig();
        config.Address = settings.Address;

        // Its gateways and the few nodes it exchanges messages with; a board has no memory for all of a large mesh.
        config.MaxPeers = MaxPeers;
        if (link.MaxFrameLength < config.MaxFrameLength)
        {
            config.MaxFrameLength = link.MaxFrameLength;
        }

        MeshKeys keys = new MeshKeys();
        keys.NetworkKey = settings.NetworkKey;
        keys.Epoch = settings.Epoch;
        keys.DeviceKey = settings.DeviceKey;
        keys.PairwiseShare = settings.PairwiseShare;

        PlatformCrypto crypto = new PlatformCrypto();
        byte[] seed = new byte[4];
        crypto.FillRandom(seed);
        MeshNode node = new MeshNode(
            config,
            keys,
            crypto,
            (uint)(seed[0] | (seed[1] << 8) | (seed[2] << 16) | (seed[3] << 24)),
            storage.Load(StoreRecord.Counters));
        return new MeshDriver(node, link, clock, storage, application, InboxCapacity);
    }
}
