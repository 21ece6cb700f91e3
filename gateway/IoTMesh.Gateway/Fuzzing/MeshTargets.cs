using IoTMesh.Core;

namespace IoTMesh.Gateway.Fuzzing;

/// <summary>Frames into running nodes. Outcomes: what the node says, which of its counters moved, what it put out.</summary>
internal abstract class MeshTarget : FuzzTarget
{
    private readonly long[] _before = new long[CounterCount];
    private readonly long[] _after = new long[CounterCount];
    private const int CounterCount = 28;
    private int _fed;
    private int _taken;

    protected MeshTarget()
    {
        Mesh = new FuzzMesh();
        Mesh.Run(3_000);
    }

    // A frame may make a node learn a peer (two ciphers), begin a transfer or join; its answer is copied by this mesh's air.
    internal override long AllocatedBytesMax => 64 * 1024;

    internal override int InputBytesMax => 300;

    protected FuzzMesh Mesh { get; }

    /// <summary>What comes in faster than the node may send fills its queue, and then is refused unread.</summary>
    protected virtual int InputsPerMs => 1;

    protected ulong FeedNode(int address, byte[] frame, int count)
    {
        MeshNode node = Mesh[address];
        Take(node.Counters, _before);
        Mesh.OutputKinds = 0;
        ParseError error = Mesh.Feed(address, frame, count);
        Take(node.Counters, _after);
        ulong hash = Mix(14695981039346656037UL, (ulong)error | ((ulong)(uint)address << 8));
        hash = Mix(hash, count > 0 ? frame[0] : 0u);
        hash = Mix(hash, Mesh.OutputKinds);
        for (int i = 0; i < CounterCount; i++)
        {
            hash = Mix(hash, _after[i] != _before[i] ? (uint)i : 99u);
        }

        _fed++;
        _taken += error == ParseError.None ? 1 : 0;
        if (_fed % InputsPerMs == 0)
        {
            Mesh.Pass();
        }

        return hash;
    }

    /// <summary>A run whose frames are all refused at the door shows nothing.</summary>
    protected void CheckTaken()
    {
        if (_fed > 1_000 && _taken < _fed / 50)
        {
            throw new FuzzException($"only {_taken} of {_fed} frames were taken");
        }
    }

    private static void Take(MeshCounters c, long[] to)
    {
        int i = 0;
        to[i++] = c.FramesSent;
        to[i++] = c.BeaconsSent;
        to[i++] = c.AcksSent;
        to[i++] = c.BusySent;
        to[i++] = c.BusyReceived;
        to[i++] = c.DataFramesSent;
        to[i++] = c.Retries;
        to[i++] = c.Originated;
        to[i++] = c.Forwarded;
        to[i++] = c.Delivered;
        to[i++] = c.Duplicates;
        to[i++] = c.LoopsDetected;
        to[i++] = c.ParentChanges;
        to[i++] = c.NeighborsLost;
        to[i++] = c.SeqNoRequestsSent;
        to[i++] = c.CustodyReplayed;
        to[i++] = c.JoinsRefused;
        to[i++] = c.RankInversions;
        to[i++] = c.DroppedNoRoute;
        to[i++] = c.DroppedTries;
        to[i++] = c.DroppedHopLimit;
        to[i++] = c.DroppedQueueFull;
        to[i++] = c.DroppedBusy;
        to[i++] = c.DroppedLate;
        to[i++] = c.EndToEndBadTag;
        to[i++] = c.EndToEndReplayed;
        to[i++] = c.EndToEndNoKey;
        to[i] = c.EndToEndMalformed;
    }
}

/// <summary>What an outsider can send: any bytes, among them join frames. Afterwards the mesh must work as before.</summary>
internal sealed class FrameTarget : MeshTarget
{
    internal override IReadOnlyList<byte[]> Samples => Recording.Frames;

    protected override int InputsPerMs => 4;

    internal override ulong Feed(byte[] input, int count)
    {
        // To whom it is addressed, else to the router: a node refuses what is for another at once.
        if (count > 0 && FrameFormat.GetType(input[0]) != FrameFormat.TypeJoin)
        {
            // The samples come from another life under the same keys: one that no change has hurt would be a frame from the future.
            input[count - 1] ^= 0x5A;
        }

        int to = count >= 6 && Bytes.GetU16(input, FrameFormat.OffsetDestination) is ushort d and >= 1 and <= FuzzMesh.Device ? d : 2;
        return FeedNode(to, input, count);
    }

    internal override void Check()
    {
        Mesh.Run(3_000);
        int before = Mesh.Readings;
        Mesh[3].SendReading(Mesh.NowMs, [1, 50], 0, 2, out _);
        Mesh.Drain(3);
        Mesh.Run(5_000);
        if (Mesh.Readings == before)
        {
            throw new FuzzException("after what an outsider sent, a reading does not arrive any more");
        }
    }
}

/// <summary>What an insider with the hop key can send: bodies of all types, rightly numbered and signed.</summary>
internal sealed class SignedFrameTarget : MeshTarget
{
    private readonly FrameSigner _signer = new();

    internal override IReadOnlyList<byte[]> Samples { get; } =
        [.. Recording.Frames.Where(f => !FrameFormat.IsAck(FrameFormat.GetType(f[0])) && FrameFormat.GetType(f[0]) != FrameFormat.TypeJoin)];

    internal override ulong Feed(byte[] input, int count)
    {
        int to = 1 + (count > 3 ? input[3] % 3 : 1);
        return FeedNode(to, _signer.Frame, _signer.Sign(input, count, (ushort)to));
    }

    internal override void Check() => CheckTaken();
}

/// <summary>
/// What members say end to end: plaintexts of all kinds, rightly sealed and signed, so that the parsers behind are reached. The first byte
/// of an input is the kind and from whom to whom it goes; the rest is the plaintext.
/// </summary>
internal sealed class MessageTarget : MeshTarget
{
    private static readonly PlatformCrypto _crypto = new();
    private static readonly (ushort Origin, ushort Destination, ushort Via, int At, byte[] Key)[] _ways =
    [
        (3, MeshAddress.AnyGateway, 2, 1, EndKey(3, KeySchedule.LabelUp)),
        (1, 3, 2, 3, EndKey(3, KeySchedule.LabelDown)),
        (1, 2, 1, 2, EndKey(2, KeySchedule.LabelDown)),
        (3, 2, 3, 2, FuzzMesh.PairKey(3, 2)),
        (3, MeshAddress.All, 3, 2, KeySchedule.Derive(_crypto, FuzzMesh.NetworkKey, KeySchedule.LabelGroup, (int)FuzzMesh.Epoch)),
    ];

    private readonly IBlockCipher[] _ciphers = [.. _ways.Select(w => _crypto.CreateAes(w.Key))];
    private readonly FrameSigner _signer = new();
    private readonly Ccm _ccm = new(300);
    private readonly byte[] _nonce = new byte[Ccm.NonceLength];
    private readonly byte[] _body = new byte[300];
    private readonly MessageHeader _header = new();
    private int _sealed;
    private int _opened;
    private uint _counter = 1_000;

    internal override IReadOnlyList<byte[]> Samples { get; } =
    [
        .. from message in Recording.Messages
           from way in Enumerable.Range(0, _ways.Length)
           select (byte[])[(byte)(message[0] | (way << 3)), .. message.AsSpan(1)],
    ];

    internal override int InputBytesMax => 200;

    internal override ulong Feed(byte[] input, int count)
    {
        if (count < 1)
        {
            return 0;
        }

        int way = (input[0] >> 3) % _ways.Length;
        (ushort origin, ushort destination, ushort from, int at, _) = _ways[way];
        bool isFlood = destination == MeshAddress.All;
        byte kind = (byte)(input[0] & 7);
        bool isBound = MeshAddress.IsUnicast(destination) && kind != MessageKind.Hello;
        ushort boot = isBound ? Mesh[at].Boot : (ushort)0;
        MakeNonce(kind, origin, destination, ++_counter, boot, Mesh[origin].Boot);
        int type = isFlood ? FrameFormat.TypeFlood : FrameFormat.TypeData;
        int start = FrameFormat.HeaderLength(type) + (isFlood ? 0 : 1);
        _body[start - 1] = 0;
        SetHeader(kind, origin, destination, Mesh[origin].Boot, count - 1 + MessageHeader.TagLength);
        int bodyAt = _header.Emit(_body, start, from, false);
        input.AsSpan(1, count - 1).CopyTo(_body.AsSpan(bodyAt));
        _ccm.Seal(_ciphers[way], _nonce, null, 0, _body, bodyAt, count - 1);
        _body[0] = FrameFormat.MakeKind(type, isFlood ? 0 : (int)MeshClass.Normal);
        _body[1] = 0;
        Bytes.PutU16(_body, FrameFormat.OffsetSource, from);
        int length = bodyAt + count - 1 + MessageHeader.TagLength;
        long wrong = Mesh[at].Counters.EndToEndBadTag + Mesh[at].Counters.EndToEndReplayed + Mesh[at].Counters.EndToEndNoKey;
        ulong outcome = FeedNode(at, _signer.Frame, _signer.Sign(_body, length + FrameFormat.TagLength, (ushort)at));
        _sealed++;
        _opened += Mesh[at].Counters.EndToEndBadTag + Mesh[at].Counters.EndToEndReplayed + Mesh[at].Counters.EndToEndNoKey == wrong ? 1 : 0;
        return Mix(outcome, kind == MessageKind.Service && count > 1 ? 256u + input[1] : kind);
    }

    internal override void Check()
    {
        CheckTaken();
        if (_sealed > 1_000 && _opened < _sealed / 4)
        {
            throw new FuzzException($"only {_opened} of {_sealed} messages were opened");
        }
    }

    private static byte[] EndKey(ushort device, string label) => KeySchedule.Derive(_crypto, FuzzMesh.DeviceKey(device), label, 0);

    private void SetHeader(byte kind, ushort origin, ushort destination, ushort boot, int bodyLength)
    {
        _header.Kind = kind;
        _header.HopLimit = 20;
        _header.Origin = origin;
        _header.Destination = destination;
        _header.Via = MeshAddress.None;
        _header.IsWide = true;
        _header.Counter = _counter;
        _header.Boot = boot;
        _header.BodyLength = bodyLength;
    }

    // protocol.md 8.4.
    private void MakeNonce(byte kind, ushort origin, ushort destination, uint counter, ushort receiverBoot, ushort originBoot)
    {
        _nonce[0] = kind;
        Bytes.PutU16(_nonce, 1, origin);
        Bytes.PutU16(_nonce, 3, destination);
        Bytes.PutU32(_nonce, 5, counter);
        Bytes.PutU16(_nonce, 9, receiverBoot);
        Bytes.PutU16(_nonce, 11, originBoot);
    }
}

/// <summary>Makes an input a frame that a node takes: right network, epoch, addresses, a fresh counter, a right tag.</summary>
internal sealed class FrameSigner
{
    private readonly Cmac _cmac;
    private uint _counter = 1_000;

    internal FrameSigner()
    {
        var crypto = new PlatformCrypto();
        byte[] key = KeySchedule.Derive(crypto, FuzzMesh.NetworkKey, KeySchedule.LabelHop, (int)FuzzMesh.Epoch);
        _cmac = new Cmac(crypto.CreateAes(key), 400);
    }

    internal byte[] Frame { get; } = new byte[400];

    /// <param name="count">With the bytes of an old tag, which are replaced.</param>
    /// <returns>Length of <see cref="Frame"/>.</returns>
    internal int Sign(byte[] input, int count, ushort to)
    {
        int length = Math.Max(count - FrameFormat.TagLength, FrameFormat.WideLength);
        Array.Clear(Frame, 0, length);
        input.AsSpan(0, Math.Min(count, length)).CopyTo(Frame);
        int type = FrameFormat.GetType(Frame[0]);
        if (FrameFormat.IsAck(type) || type is FrameFormat.TypeJoin or > FrameFormat.TypeMax)
        {
            type = FrameFormat.TypeData;
        }

        ushort from = Bytes.GetU16(Frame, FrameFormat.OffsetSource);
        bool isNeighbor = from is >= 1 and <= 3 && from != to;
        Frame[0] = FrameFormat.MakeKind(type, Frame[0] & 3);
        Frame[1] = FrameFormat.MakeNetwork(FuzzMesh.NetworkId, (int)FuzzMesh.Epoch, Frame[1] & 7);
        Bytes.PutU16(Frame, FrameFormat.OffsetSource, isNeighbor ? from : (ushort)(to == 2 ? 3 : 2));
        Bytes.PutU16(Frame, FrameFormat.OffsetDestination, type == FrameFormat.TypeBeacon ? MeshAddress.All : to);
        _counter++;
        Bytes.PutU16(Frame, FrameFormat.OffsetCounter, (ushort)_counter);
        if (type != FrameFormat.TypeData)
        {
            Bytes.PutU16(Frame, FrameFormat.OffsetCounterHigh, (ushort)(_counter >> 16));
        }

        _cmac.Compute((ushort)(_counter >> 16), Frame, 0, length);
        Array.Copy(_cmac.Mac, 0, Frame, length, FrameFormat.TagLength);
        return length + FrameFormat.TagLength;
    }
}
