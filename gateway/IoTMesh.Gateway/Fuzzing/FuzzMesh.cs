using IoTMesh.Core;

namespace IoTMesh.Gateway.Fuzzing;

/// <summary>
/// A gateway (1), a router (2) and a node (3) in a row under virtual time, and a device (4) that asks to join: what frames are fed to.
/// </summary>
internal sealed class FuzzMesh : IDeviceKeys
{
    internal const uint Epoch = 1;
    internal const ushort Device = 4;
    private const int FlightMs = 2;
    private const int OutputsMax = 2_000;
    private static readonly PlatformCrypto _crypto = new();
    private static readonly byte[] _secret = [.. Enumerable.Range(1, 16).Select(i => (byte)i)];
    private static readonly byte[][] _shares =
        [.. Enumerable.Range(0, Device + 1).Select(a => PairwiseKeys.CreateShare(_crypto, _secret, (ushort)Math.Max(1, a)))];
    internal static readonly byte[] NetworkKey = SiteKeys.CreateNetworkKey(_crypto, _secret, Epoch);
    internal static readonly ushort NetworkId = SiteKeys.CreateNetworkId(_crypto, _secret);
    private readonly Queue<(long AtMs, int From, ushort To, byte[] Frame)> _air = new();
    private readonly MeshNode[] _nodes = new MeshNode[5];
    private readonly MeshOutput _output = new(new MeshConfig());

    /// <param name="crypto">Of the nodes.</param>
    internal FuzzMesh(ICrypto? crypto = null)
    {
        for (ushort address = 1; address <= Device; address++)
        {
            _nodes[address] = Create(address, crypto ?? _crypto);
            _nodes[address].Start(NowMs);
            Drain(address);
        }
    }

    internal long NowMs { get; private set; } = 1_000;

    /// <summary>Readings that the gateway was given.</summary>
    internal int Readings { get; private set; }

    /// <summary>Kinds of outputs since it was cleared, a bit each.</summary>
    internal uint OutputKinds { get; set; }

    /// <summary>Takes every frame that is sent.</summary>
    internal Action<byte[]>? Sent { get; set; }

    internal MeshNode this[int address] => _nodes[address];

    internal static byte[] DeviceKey(ushort address) => SiteKeys.CreateDeviceKey(_crypto, _secret, address);

    internal static byte[] PairKey(ushort one, ushort other)
    {
        byte[] key = new byte[KeySchedule.KeyLength];
        PairwiseKeys.Derive(_crypto, _shares[one], one, other, key);
        return key;
    }

    public bool TryGetDeviceKey(ushort address, byte[] key)
    {
        DeviceKey(address).CopyTo(key, 0);
        return address is >= 2 and <= Device;
    }

    public JoinVerdict MayJoin(ushort address) => JoinVerdict.Accepted;

    public bool TryGetNetworkKey(uint epoch, byte[] key)
    {
        SiteKeys.CreateNetworkKey(_crypto, _secret, epoch).CopyTo(key, 0);
        return true;
    }

    internal void Run(long forMs)
    {
        for (long endMs = NowMs + forMs; NowMs < endMs; NowMs++)
        {
            Step();
        }
    }

    /// <summary>A millisecond passes.</summary>
    internal void Pass()
    {
        NowMs++;
        Step();
    }

    internal ParseError Feed(int address, byte[] frame, int count)
    {
        ParseError error = _nodes[address].HandleFrame(NowMs, frame, 0, count, -60);
        Drain(address);
        return error;
    }

    internal void Drain(int address)
    {
        MeshNode node = _nodes[address];
        int outputs = 0;
        while (node.Poll(_output))
        {
            if (++outputs > OutputsMax)
            {
                throw new FuzzException($"node {address} has no end of outputs");
            }

            OutputKinds |= 1u << (int)_output.Kind;
            switch (_output.Kind)
            {
                case OutputKind.Store:
                    node.HandleStored(NowMs, _output.Token, true);
                    break;
                case OutputKind.Transmit:
                    byte[] frame = _output.Buffer[.._output.Length];
                    _air.Enqueue((NowMs + FlightMs, address, _output.LinkDestination, frame));
                    Sent?.Invoke(frame);
                    node.HandleTransmitResult(NowMs, _output.Token, true);
                    break;
                case OutputKind.Deliver when _output.IsReading && node.Config.IsGateway:
                    Readings++;
                    node.ReleaseCustody(NowMs, _output.Origin, _output.Boot, _output.ReadingSeq);
                    break;
            }
        }
    }

    private void Step()
    {
        while (_air.TryPeek(out (long AtMs, int From, ushort To, byte[] Frame) flight) && flight.AtMs <= NowMs)
        {
            _air.Dequeue();
            for (int to = Math.Max(1, flight.From - 1); to <= Math.Min(Device, flight.From + 1); to++)
            {
                if (to != flight.From && (flight.To == MeshAddress.All || flight.To == to))
                {
                    Feed(to, flight.Frame, flight.Frame.Length);
                }
            }
        }

        for (int address = 1; address <= Device; address++)
        {
            if (_nodes[address].NextDeadlineMs <= NowMs)
            {
                _nodes[address].HandleTimeout(NowMs);
                Drain(address);
            }
        }
    }

    private MeshNode Create(ushort address, ICrypto crypto)
    {
        bool isGateway = address == 1;
        var keys = new MeshKeys
        {
            NetworkKey = address == Device ? null : NetworkKey,
            Epoch = Epoch,
            NetworkId = NetworkId,
            DeviceKey = isGateway ? null : DeviceKey(address),
            PairwiseShare = _shares[address],
            Devices = isGateway ? this : null,
        };
        return new MeshNode(new MeshConfig { Address = address, IsGateway = isGateway, StoreCustody = !isGateway }, keys, crypto, address, null);
    }
}

/// <summary>What nodes say to each other in some seconds of life, as samples: frames, and plaintexts of messages.</summary>
internal static class Recording
{
    private static readonly Lazy<(byte[][] Frames, byte[][] Messages)> _taken = new(Take);

    /// <summary>Frames of all types.</summary>
    internal static byte[][] Frames => _taken.Value.Frames;

    /// <summary>Kind of the message, then its plaintext.</summary>
    internal static byte[][] Messages => _taken.Value.Messages;

    private static (byte[][] Frames, byte[][] Messages) Take()
    {
        var frames = new List<byte[]>();
        var plain = new PlainTap();
        var mesh = new FuzzMesh(plain) { Sent = frames.Add };
        mesh.Run(6_000);
        for (int round = 0; round < 6; round++)
        {
            long nowMs = mesh.NowMs;
            mesh[3].SendReading(nowMs, [2, 0xCA, 9, 3, 0xBF, 0x13], 0, 6, out _);
            mesh[3].Send(nowMs, 2, 40, MeshClass.Normal, true, [1, 2, 3], 0, 3, out _);
            mesh[2].Send(nowMs, MeshAddress.All, 41, MeshClass.Bulk, false, [4], 0, 1, out _);
            mesh[1].Send(nowMs, 3, MeshPort.Command, MeshClass.RealTime, false, [1, 0, 2, 0], 0, 4, out _);
            mesh[1].Send(nowMs, 3, 42, MeshClass.Normal, true, new byte[700], 0, 700, out _);
            mesh[1].Ping(nowMs, 3, out _);
            mesh[1].Trace(nowMs, 3, out _);
            for (byte table = DiagnosticTable.Counters; table < DiagnosticTable.Counters + 3; table++)
            {
                mesh[1].RequestTable(nowMs, 3, table, out _);
            }

            mesh[1].SetNextKey(nowMs, FuzzMesh.Epoch + 1, FuzzMesh.NetworkKey);
            mesh[1].SendNextKey(nowMs, 3);
            for (int address = 1; address <= FuzzMesh.Device; address++)
            {
                mesh.Drain(address);
            }

            mesh.Run(1_500);
        }

        // One of each length and type is enough to start from.
        return (
            [.. frames.DistinctBy(f => (FrameFormat.GetType(f[0]), f[0] & 3, f.Length))],
            [.. plain.Messages.DistinctBy(m => (m[0], m.Length, m.Length > 1 ? m[1] : 0))]);
    }

    /// <summary>The platform's crypto; keeps the plaintext of every CCM seal, which the MAC is given.</summary>
    private sealed class PlainTap : ICrypto
    {
        private const int BlockLength = 16;
        private const byte FirstBlockFlags = 0x19;
        private readonly PlatformCrypto _inner = new();

        internal List<byte[]> Messages { get; } = [];

        public IBlockCipher CreateAes(byte[] key) => new Tap(this, _inner.CreateAes(key));

        public void HmacSha256(byte[] key, byte[] data, int count, byte[] mac) => _inner.HmacSha256(key, data, count, mac);

        public void FillRandom(byte[] buffer) => _inner.FillRandom(buffer);

        private sealed class Tap(PlainTap owner, IBlockCipher inner) : IBlockCipher
        {
            public void EncryptBlocks(byte[] input, int count, byte[] output) => inner.EncryptBlocks(input, count, output);

            public void CbcMac(byte[] input, int count, byte[] mac)
            {
                inner.CbcMac(input, count, mac);
                int length = (input[14] << 8) | input[15];
                if (input[0] == FirstBlockFlags && BlockLength + length <= count && count - length < 2 * BlockLength)
                {
                    owner.Messages.Add([input[1], .. input.AsSpan(BlockLength, length)]);
                }
            }
        }
    }
}
