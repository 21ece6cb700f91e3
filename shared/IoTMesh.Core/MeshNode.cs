using System.Diagnostics;

namespace IoTMesh.Core;

/// <summary>
/// One node of the mesh: all protocol state, no I/O, no clock, no thread, and no allocation after construction but one or two
/// cipher objects for each new peer. Bytes and time come in as arguments, effects come out of <see cref="Poll"/> in causal
/// order. Call it from one thread. After any Handle or Send call, Poll until false, then wait until
/// <see cref="NextDeadlineMs"/> or the next frame.
/// </summary>
public sealed partial class MeshNode
{
    private const int HousekeepingMs = 5_000;

    // A seqno goes through the whole mesh: with a thousand hosts that is most of the idle traffic.
    private const int HostRefreshes = 6;

    // A message's length is one byte: 255 less the header in the plaintext and the tag.
    private const int MaxPayloadLengthLimit = 233;
    private readonly ICrypto _crypto;
    private readonly MeshKeys _keys;
    private readonly Prng _prng;
    private readonly CounterRecord _record;
    private readonly HopAuthenticator _hop;
    private readonly NeighborTable _neighbors;
    private readonly RouteTable _routes;
    private readonly TrickleTimer _trickle;
    private readonly MessageQueue _queue;
    private readonly DuplicateCache _duplicates;
    private readonly DuplicateCache _floods;
    private readonly Custody _custody;
    private readonly PeerTable _peers;
    private readonly PendingTable _pending;
    private readonly EffectQueue _effects;
    private readonly TimerTable _timers = new TimerTable();
    private readonly MessageHeader _header = new MessageHeader();
    private readonly int _network;
    private bool _started;
    private long _startMs;
    private long _nowMs;
    private long _storeAgainMs;
    private int _nextToken = 1;

    /// <param name="config">Bounds and timings; not changed afterwards.</param>
    /// <param name="keys">Provisioned keys.</param>
    /// <param name="crypto">The platform's AES and HMAC.</param>
    /// <param name="seed">Seeds jitter; no secret depends on it.</param>
    /// <param name="countersRecord">
    /// The stored record <see cref="StoreRecord.Counters"/>, or null on a device that never ran. A damaged record throws
    /// ArgumentException: going on would reuse nonces, so the device must be provisioned anew.
    /// </param>
    public MeshNode(MeshConfig config, MeshKeys keys, ICrypto crypto, uint seed, byte[] countersRecord)
    {
        if (!MeshAddress.IsUnicast(config.Address))
        {
            throw new System.ArgumentException("address must be 1 to 65519");
        }

        int longest = FrameFormat.NarrowLength + 1 + FrameFormat.RidingAckLength + MessageHeader.MaxLength + PlainOverhead
            + MessageHeader.TagLength + FrameFormat.TagLength;
        bool fits = config.MaxPayloadLength + longest <= config.MaxFrameLength && config.MaxReadingLength + longest <= config.MaxFrameLength;
        if (!fits || config.MaxPayloadLength > MaxPayloadLengthLimit || config.MaxReadingLength > MaxPayloadLengthLimit)
        {
            throw new System.ArgumentException("payloads and readings hold at most 233 bytes, and MaxFrameLength must be 53 bytes longer");
        }

        if (config.MaxCustodyBytes < config.MaxReadingLength + Custody.EntryHeaderLength || config.MaxCustodyBytes > 65_536)
        {
            throw new System.ArgumentException("MaxCustodyBytes must hold the longest reading and be at most 65536");
        }

        if (countersRecord != null && !CounterRecord.IsValid(countersRecord))
        {
            throw new System.ArgumentException("stored counters are damaged: provision the device with a new address");
        }

        Config = config;
        Counters = new MeshCounters();
        _keys = keys;
        _crypto = crypto;
        _prng = new Prng(seed ^ ((uint)config.Address << 16));
        _record = new CounterRecord(countersRecord);
        _hop = new HopAuthenticator(crypto, config.MaxFrameLength);
        _network = keys.NetworkId & 7;
        _neighbors = new NeighborTable(config.MaxNeighbors, config.AckTimeoutInitialMs);
        _routes = new RouteTable(config.MaxRoutes, _neighbors, !config.IsSleepyLeaf);
        _children = new ChildTable(config.MaxNeighbors, config.IsSleepyLeaf ? 0 : config.MaxChildren);
        _leaf = config.IsSleepyLeaf ? new SleepyLeaf() : null;
        _trickle = new TrickleTimer(config.BeaconMinMs, config.BeaconMaxMs, config.BeaconRedundancy, _prng);
        _plainCapacity = (config.MaxPayloadLength > config.MaxReadingLength ? config.MaxPayloadLength : config.MaxReadingLength) + PlainOverhead;
        _queue = new MessageQueue(config.MaxQueued, _plainCapacity + MessageHeader.TagLength, config.IsGateway);
        _duplicates = new DuplicateCache(config.MaxDuplicates);
        _reassemblies = CreateReassemblies(config);
        _floods = new DuplicateCache(config.MaxBroadcasts);
        _adjacent = new ulong[config.MaxNeighbors];
        _custody = new Custody(config.IsGateway ? 0 : config.MaxCustodyBytes, _record.Boot);
        _peers = new PeerTable(config.MaxPeers, config.IsGateway);
        _pending = new PendingTable(config.MaxPending, _plainCapacity);
        _effects = new EffectQueue(config.MaxOutputs);
        _batch = new int[config.MaxQueued];
        _ccm = new Ccm(_plainCapacity);
        _plain = new byte[_plainCapacity + MessageHeader.TagLength];
        PrepareCiphers();
        TakeKeys(keys);
    }

    public MeshConfig Config { get; }

    public MeshCounters Counters { get; }

    public ushort Address => Config.Address;

    /// <summary>Number of this boot, from 1; valid after construction.</summary>
    public ushort Boot => _record.Boot;

    /// <summary>When HandleTimeout is due, ms on the caller's clock; long.MaxValue for never.</summary>
    public long NextDeadlineMs => MaySleep ? SleepUntilMs : _timers.Earliest();

    /// <summary>Starts the protocol; the first effect is the Store that reserves counters.</summary>
    public void Start(long nowMs)
    {
        _nowMs = nowMs;
        _startMs = nowMs;
        DropBelowFloor();
        RequestStore();
    }

    /// <summary>A frame arrived: <c>buffer[offset..offset+count)</c>. The bytes are copied where needed.</summary>
    public ParseError HandleFrame(long nowMs, byte[] buffer, int offset, int count, sbyte rssiDbm)
    {
        Advance(nowMs);
        Counters.FramesReceived++;
        Counters.BytesReceived += count;
        ParseError error = _started ? ReceiveFrame(buffer, offset, count, rssiDbm) : ParseError.NotForMe;
        if (error != ParseError.None)
        {
            Counters.Refused[(int)error]++;
        }

        return error;
    }

    /// <summary>The link has sent (or failed to send) the frame of that Transmit. Hop acks are frames, not this.</summary>
    public void HandleTransmitResult(long nowMs, int token, bool sent)
    {
        Advance(nowMs);
        if (!sent)
        {
            Counters.TransmitFailures++;
        }

        NoteTransmitted(token);
    }

    /// <summary>The record of that Store is durable (or could not be made so).</summary>
    public void HandleStored(long nowMs, int token, bool ok)
    {
        Advance(nowMs);
        if (token == _storeToken && token != 0)
        {
            HandleChunkStored(ok);
            return;
        }

        if (token == _keysToken && token != 0)
        {
            HandleKeysStored(ok);
            return;
        }

        if (token != _record.StoreToken)
        {
            return;
        }

        if (!ok)
        {
            // Tried again by housekeeping; meanwhile the rest of the old block is used.
            _record.StoreToken = 0;
            _storeAgainMs = nowMs + HousekeepingMs;
            _timers.SetEarlier(Timer.Housekeeping, _storeAgainMs);
            return;
        }

        _record.Stored();
        if (!_started)
        {
            BeginProtocol();
        }
    }

    /// <summary>Time has passed; early calls do nothing.</summary>
    public void HandleTimeout(long nowMs)
    {
        Advance(nowMs);
        if (!_started)
        {
            RetryStore();
            return;
        }

        HandleRoutingTimers();
        if (_timers.IsDue(Timer.Ack, nowMs))
        {
            FlushAcks();
        }

        if (_timers.IsDue(Timer.Pending, nowMs))
        {
            HandlePendingTimer();
        }

        if (_timers.IsDue(Timer.Watermark, nowMs))
        {
            SendWatermarks();
        }

        if (_timers.IsDue(Timer.Custody, nowMs))
        {
            PumpCustody();
        }

        if (_timers.IsDue(Timer.Leaf, nowMs))
        {
            HandleLeafTimer();
        }

        if (_timers.IsDue(Timer.Queue, nowMs))
        {
            PumpQueue();
        }

        if (_timers.IsDue(Timer.Diagnosis, nowMs))
        {
            StepDiagnosis();
        }

        if (_timers.IsDue(Timer.Join, nowMs))
        {
            StepJoin();
        }

        if (_timers.IsDue(Timer.Housekeeping, nowMs))
        {
            KeepHouse();
        }
    }

    private ushort AddressOf(int neighbor)
    {
        return neighbor == NeighborTable.None ? MeshAddress.None : _neighbors.Address[neighbor];
    }

    private void Advance(long nowMs)
    {
        Debug.Assert(nowMs >= _nowMs);
        if (nowMs > _nowMs)
        {
            _nowMs = nowMs;
        }
    }

    private int TakeToken()
    {
        int token = _nextToken;
        _nextToken = token == int.MaxValue ? 1 : token + 1;
        return token;
    }

    private void RequestStore()
    {
        _record.Reserve();
        _record.StoreToken = TakeToken();
        if (!_effects.Push(Effect.Store, _record.StoreToken, StoreRecord.Counters))
        {
            _record.StoreToken = 0;
        }
    }

    /// <summary>Reserves the next block in good time; after a failed Store not again before housekeeping comes by.</summary>
    private void StoreIfNeeded()
    {
        if (_record.NeedsStore && _nowMs >= _storeAgainMs)
        {
            RequestStore();
        }
    }

    private void RetryStore()
    {
        if (_timers.IsDue(Timer.Housekeeping, _nowMs))
        {
            _timers.Stop(Timer.Housekeeping);
            if (_record.StoreToken == 0)
            {
                RequestStore();
            }
        }
    }

    private void BeginProtocol()
    {
        _started = true;
        _lastSeqNoMs = _nowMs;
        _timers.Set(Timer.Housekeeping, _nowMs + HousekeepingMs);
        if (_hop.HasKey)
        {
            EnterMesh();
        }
        else
        {
            BeginJoin();
        }
    }

    private void EnterMesh()
    {
        if (_leaf != null)
        {
            SearchParent();
            return;
        }

        _trickle.Start(_nowMs);
        _timers.Set(Timer.Beacon, _trickle.DueMs);
        TellRestoredPeers();
        // The first beacon does not wait for Trickle: it is what neighbors answer to.
        AnnounceSoon(true);
    }

    private void KeepHouse()
    {
        _timers.Set(Timer.Housekeeping, _nowMs + HousekeepingMs);
        StoreIfNeeded();
        StepCustodyStore();
        StepEpochs();
        ReportParentIfDue();
        CallForGateway();
        _routes.Age();
        CheckSilentNeighbors();
        ReselectChanged();

        long refreshMs = Config.IsGateway ? Config.SeqNoRefreshMs : HostRefreshes * (long)Config.SeqNoRefreshMs;
        if (_nowMs - _lastSeqNoMs > refreshMs && _record.CanRaiseSeqNo)
        {
            _record.SeqNo++;
            _lastSeqNoMs = _nowMs;
        }
    }
}
