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
        config.StoreCustody = true;
        if (link.MaxFrameLength < config.MaxFrameLength)
        {
            config.MaxFrameLength = link.MaxFrameLength;
        }

        MeshKeys keys = new MeshKeys();
        keys.NetworkId = settings.NetworkId;
        keys.NetworkKey = settings.NetworkKey;
        keys.Epoch = settings.Epoch;
        keys.DeviceKey = settings.DeviceKey;
        keys.PairwiseShare = settings.PairwiseShare;

        // What the mesh gave it since is newer than what enrolment did.
        keys.Restore(storage.Load(StoreRecord.Keys));

        PlatformCrypto crypto = new PlatformCrypto();
        byte[] seed = new byte[4];
        crypto.FillRandom(seed);
        MeshNode node = new MeshNode(
            config,
            keys,
            crypto,
            (uint)(seed[0] | (seed[1] << 8) | (seed[2] << 16) | (seed[3] << 24)),
            storage.Load(StoreRecord.Counters));
        RestoreCustody(node, storage);
        return new MeshDriver(node, link, clock, storage, application, InboxCapacity);
    }

    // Log by log, the oldest first: a board has no memory for all of them at once.
    private static void RestoreCustody(MeshNode node, IMeshStorage storage)
    {
        uint[] numbers = new uint[CustodyLog.Count];
        for (int i = 0; i < numbers.Length; i++)
        {
            numbers[i] = CustodyLog.NumberOf(storage.LoadLog((byte)(StoreRecord.Custody + i)));
        }

        for (int done = 0; done < numbers.Length; done++)
        {
            int oldest = -1;
            for (int i = 0; i < numbers.Length; i++)
            {
                oldest = numbers[i] != 0 && (oldest < 0 || numbers[i] < numbers[oldest]) ? i : oldest;
            }

            if (oldest < 0)
            {
                return;
            }

            numbers[oldest] = 0;
            byte record = (byte)(StoreRecord.Custody + oldest);
            node.RestoreCustody(record, storage.LoadLog(record));
        }
    }
}
