using IoTMesh.Core;

namespace IoTMesh.Driver.Tests.PowerCut;

/// <summary>
/// The life of three nodes in a row, gateway first, on real storage: two join, all kinds of messages flow, the network key changes.
/// A node whose storage loses power is gone and starts again 300 ms later, with another clock.
/// </summary>
internal sealed class Life : IDeviceKeys
{
    private const int RestartMs = 300;
    private const int FlightMs = 2;
    private const int StepMs = 20;
    private static readonly byte[] _secret = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16];
    private readonly PlatformCrypto _crypto = new();
    private readonly PriorityQueue<(int Node, byte[] Frame), (long, int)> _air = new();
    private readonly MeshNode?[] _nodes = new MeshNode?[4];
    private readonly long[] _offsetMs = new long[4];
    private readonly long[] _upAtMs = new long[4];
    private readonly int[] _boots = new int[4];
    private readonly IMeshStorage[] _storages = new IMeshStorage[4];
    private readonly Func<int, IMeshStorage> _openStorage;
    private readonly Queue<(ushort, ushort, uint)> _uncommitted = new();
    private readonly HashSet<string> _earlierNonces = [];
    private readonly HashSet<string> _nonces = [];
    private readonly Random _random;
    private long _nowMs = 5_000;
    private int _sequence;

    /// <param name="openStorage">As after a restart: the same records, nothing in memory.</param>
    internal Life(Func<int, IMeshStorage> openStorage, int seed)
    {
        _openStorage = openStorage;
        _random = new Random(seed);
        for (int node = 1; node <= 3; node++)
        {
            _upAtMs[node] = _nowMs;
        }
    }

    internal SealRecord Seals { get; } = new();

    internal long LastReadingMs { get; private set; }

    /// <summary>The latest epoch whose key exists.</summary>
    internal uint EpochMax { get; set; }

    internal int Boots => _boots.Sum();

    internal uint EpochOf(int node) => _nodes[node]?.Epoch ?? 0;

    public bool TryGetDeviceKey(ushort address, byte[] key)
    {
        SiteKeys.CreateDeviceKey(_crypto, _secret, address).CopyTo(key, 0);
        return address != 1;
    }

    public JoinVerdict MayJoin(ushort address) => JoinVerdict.Accepted;

    public bool TryGetNetworkKey(uint epoch, byte[] key)
    {
        SiteKeys.CreateNetworkKey(_crypto, _secret, epoch).CopyTo(key, 0);
        return true;
    }

    /// <summary>Runs for that time; the script is called every 20 ms with the time of the life, ms.</summary>
    internal void Run(long forMs, Action<Life, long> script)
    {
        long startMs = _nowMs;
        for (long endMs = _nowMs + forMs; _nowMs < endMs; _nowMs++)
        {
            for (int node = 1; node <= 3; node++)
            {
                if (_nodes[node] is null && _nowMs >= _upAtMs[node])
                {
                    Try(node, () => Boot(node));
                }
                else if (_nodes[node] is { } up && up.NextDeadlineMs <= TimeOf(node))
                {
                    Try(node, () => up.HandleTimeout(TimeOf(node)));
                }
            }

            DeliverFrames();
            if ((_nowMs - startMs) % StepMs == 0)
            {
                script(this, _nowMs - startMs);
            }
        }
    }

    /// <summary>The gateway's outbox commits what has come in.</summary>
    internal void Commit()
    {
        while (_uncommitted.TryDequeue(out (ushort Origin, ushort Boot, uint Seq) reading))
        {
            With(1, (node, nowMs) => node.ReleaseCustody(nowMs, reading.Origin, reading.Boot, reading.Seq));
        }
    }

    /// <summary>Lets a node do something where it has power.</summary>
    internal void With(int node, Action<MeshNode, long> action)
    {
        if (_nodes[node] is { } up)
        {
            Try(node, () => action(up, TimeOf(node)));
        }
    }

    internal byte[] NetworkKey(uint epoch) => SiteKeys.CreateNetworkKey(_crypto, _secret, epoch);

    private long TimeOf(int node) => _nowMs + _offsetMs[node];

    private void Boot(int node)
    {
        // No clock survives: this one starts anywhere, often behind where it was.
        _offsetMs[node] = _random.Next(2) == 0 ? -_nowMs : _random.Next(10_000_000);
        _earlierNonces.UnionWith(_nonces);
        _nonces.Clear();
        _boots[node]++;
        _storages[node] = _openStorage(node);
        bool isGateway = node == 1;
        var config = new MeshConfig
        {
            Address = (ushort)node,
            IsGateway = isGateway,
            StoreCustody = !isGateway,
            CustodyStoreMs = 3_000,
            CustodyRetryMs = 5_000,
            EpochOverlapMs = 5_000,
        };
        var keys = new MeshKeys
        {
            NetworkKey = isGateway ? NetworkKey(0) : null,
            NetworkId = 5,
            DeviceKey = isGateway ? null : SiteKeys.CreateDeviceKey(_crypto, _secret, (ushort)node),
            PairwiseShare = PairwiseKeys.CreateShare(_crypto, _secret, (ushort)node),
            Devices = isGateway ? this : null,
        };
        keys.Restore(_storages[node].Load(StoreRecord.Keys));
        var up = new MeshNode(config, keys, new WatchedCrypto(Seals, node), (uint)_random.Next(), _storages[node].Load(StoreRecord.Counters));
        for (byte log = StoreRecord.Custody; !isGateway && log < StoreRecord.Custody + CustodyLog.Count; log++)
        {
            byte[]? stored = _storages[node].LoadLog(log);
            if (stored is not null)
            {
                up.RestoreCustody(log, stored);
            }
        }

        _nodes[node] = up;
        up.Start(TimeOf(node));
    }

    private void Try(int node, Action action)
    {
        try
        {
            action();
            Drain(node);
        }
        catch (PowerCutException)
        {
            _nodes[node] = null;
            _upAtMs[node] = _nowMs + RestartMs;
        }
    }

    private void Drain(int node)
    {
        MeshNode up = _nodes[node]!;
        var output = new MeshOutput(up.Config);
        while (up.Poll(output))
        {
            switch (output.Kind)
            {
                case OutputKind.Store:
                    bool isLog = output.Record >= StoreRecord.Custody;
                    bool ok = isLog
                        ? _storages[node].Append(output.Record, !output.IsAppend, output.Buffer, output.Length)
                        : _storages[node].Store(output.Record, output.Buffer, output.Length);
                    up.HandleStored(TimeOf(node), output.Token, ok);
                    break;
                case OutputKind.Transmit:
                    Transmit(node, output.Buffer[..output.Length]);
                    up.HandleTransmitResult(TimeOf(node), output.Token, true);
                    break;
                case OutputKind.Deliver when output.IsReading:
                    LastReadingMs = _nowMs;
                    _uncommitted.Enqueue((output.Origin, output.Boot, output.ReadingSeq));
                    break;
            }
        }
    }

    private void Transmit(int node, byte[] frame)
    {
        int type = FrameFormat.GetType(frame[0]);
        bool hasCounter = !FrameFormat.IsAck(type) && type != FrameFormat.TypeJoin;
        uint epoch = EpochMax;
        while (hasCounter && (epoch & 3) != ((frame[FrameFormat.OffsetNetwork] >> 3) & 3))
        {
            epoch--;
        }

        if (hasCounter)
        {
            Seals.NoteFrame(node, frame, NetworkKey(epoch), epoch);
        }

        NoteJoinNonce(frame);
        for (int to = Math.Max(1, node - 1); to <= Math.Min(3, node + 1); to++)
        {
            // A lossy air makes retries, which use up counters too.
            if (to != node && _random.Next(20) != 0)
            {
                _air.Enqueue((to, frame), (_nowMs + FlightMs, _sequence++));
            }
        }
    }

    // The nonce of an ask is made of a counter: repeated within a boot it is the same ask again, in a later boot it is a reuse.
    private void NoteJoinNonce(byte[] frame)
    {
        bool isAsk = FrameFormat.GetType(frame[0]) == FrameFormat.TypeJoin && (frame[0] & 3) == JoinFormat.StepUp
            && frame[JoinFormat.HeaderLength] == JoinFormat.Ask;
        if (isAsk)
        {
            string nonce = Convert.ToHexString(frame, JoinFormat.HeaderLength + 3, JoinFormat.NonceLength);
            Assert.DoesNotContain(nonce, _earlierNonces);
            _nonces.Add(nonce);
        }
    }

    private void DeliverFrames()
    {
        while (_air.TryPeek(out (int Node, byte[] Frame) item, out (long At, int) key) && key.At <= _nowMs)
        {
            _air.Dequeue();
            With(item.Node, (node, nowMs) => node.HandleFrame(nowMs, item.Frame, 0, item.Frame.Length, -60));
        }
    }
}
