using IoTMesh.Core;

namespace IoTMesh.Driver.Tests.PowerCut;

/// <summary>
/// Every seal that the nodes of one life make, seen at the block cipher itself: no (key, nonce) twice, no message counter twice at
/// its origin, no frame counter that is not above all before it. Throws where one is.
/// </summary>
internal sealed class SealRecord
{
    private readonly Dictionary<string, string> _texts = [];
    private readonly HashSet<(int Node, uint Counter)> _counters = [];
    private readonly Dictionary<int, uint> _highestFrame = [];

    internal int Seals => _texts.Count;

    internal int Frames { get; private set; }

    /// <param name="nonce">13 bytes, protocol.md 8.4.</param>
    /// <param name="text">What the MAC covers: length and plaintext.</param>
    internal void NoteSeal(int node, byte[] key, byte[] nonce, byte[] text)
    {
        string id = Convert.ToHexString(key) + Convert.ToHexString(nonce);
        string content = Convert.ToHexString(text);

        // A proof that comes twice is answered by the same bytes twice: an admit, under a key made for that one exchange.
        bool isAdmit = nonce[0] == JoinFormat.Admit && nonce[11] == 0 && nonce[12] == 0;
        bool isNew = _texts.TryAdd(id, content);
        Assert.True(isNew || (isAdmit && _texts[id] == content), $"node {node}: key and nonce {id} twice");
        if (!isAdmit)
        {
            uint counter = BitConverter.ToUInt32(nonce, 5);
            Assert.True(_counters.Add((node, counter)), $"node {node}: message counter {counter} twice");
        }
    }

    /// <param name="frame">Of a type that has a counter: no ack, no join frame.</param>
    /// <param name="networkKey">Of the epoch that the frame names.</param>
    internal void NoteFrame(int node, byte[] frame, byte[] networkKey, uint epoch)
    {
        uint high = _highestFrame.GetValueOrDefault(node);
        uint counter = FrameFormat.GetType(frame[0]) == FrameFormat.TypeData
            ? ReplayWindow.Expand(high + 1, Bytes.GetU16(frame, FrameFormat.OffsetCounter))
            : Bytes.GetU32(frame, FrameFormat.OffsetCounter);

        // The tag covers the half that is not on air, so a right tag is the whole counter.
        byte[] hopKey = KeySchedule.Derive(new PlatformCrypto(), networkKey, KeySchedule.LabelHop, (int)epoch);
        var cmac = new Cmac(new PlatformCrypto().CreateAes(hopKey), 300);
        cmac.Compute((ushort)(counter >> 16), frame, 0, frame.Length - FrameFormat.TagLength);
        Assert.Equal(cmac.Mac[..FrameFormat.TagLength], frame[^FrameFormat.TagLength..]);
        Assert.True(counter > high, $"node {node}: frame counter {counter} after {high}");
        _highestFrame[node] = counter;
        Frames++;
    }
}

/// <summary>The platform's crypto, with every CCM seal of a node told to a record.</summary>
internal sealed class WatchedCrypto(SealRecord record, int node) : ICrypto
{
    private readonly PlatformCrypto _inner = new();

    public IBlockCipher CreateAes(byte[] key)
    {
        return new WatchedAes(record, node, [.. key], _inner.CreateAes(key));
    }

    public void HmacSha256(byte[] key, byte[] data, int count, byte[] mac)
    {
        _inner.HmacSha256(key, data, count, mac);
    }

    public void FillRandom(byte[] buffer)
    {
        _inner.FillRandom(buffer);
    }

    /// <summary>A seal is a MAC over a nonce and then its key stream; opening is the other way round.</summary>
    private sealed class WatchedAes(SealRecord record, int node, byte[] key, IBlockCipher inner) : IBlockCipher
    {
        private const byte FirstBlockFlags = 0x19;
        private byte[]? _authenticated;
        private byte[]? _opening;

        public void EncryptBlocks(byte[] input, int count, byte[] output)
        {
            byte[] nonce = input[1..14];
            bool isStream = input[0] == 1 && input[14] == 0 && input[15] == 0;
            if (isStream && _authenticated is not null && nonce.AsSpan().SequenceEqual(_authenticated.AsSpan(1, 13)))
            {
                record.NoteSeal(node, key, nonce, _authenticated);
                _authenticated = null;
            }
            else if (isStream)
            {
                _opening = nonce;
            }

            inner.EncryptBlocks(input, count, output);
        }

        public void CbcMac(byte[] input, int count, byte[] mac)
        {
            bool isOpening = _opening is not null && input.AsSpan(1, 13).SequenceEqual(_opening);
            _authenticated = (input[0] & 0xBF) == FirstBlockFlags && !isOpening ? input[..count] : null;
            _opening = null;
            inner.CbcMac(input, count, mac);
        }
    }
}
