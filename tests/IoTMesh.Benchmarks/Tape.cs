using IoTMesh.Core;

namespace IoTMesh.Benchmarks;

internal enum Touch
{
    Frame,
    Timeout,
    Reading,
}

/// <summary>One call into a node: when, and for a frame its bytes.</summary>
internal readonly record struct TapeEntry(Touch Kind, long NowMs, byte[] Frame);

/// <summary>
/// A node that is told what a tape says. A node is deterministic, so a fresh one that hears the tape of another does the same
/// again: that is how one node's share of an exchange is measured without the others.
/// </summary>
internal sealed class Player
{
    private const int PayloadLength = 20;
    private readonly MeshNode _node;
    private readonly MeshOutput _output = new(250);
    private readonly byte[] _payload = new byte[PayloadLength];

    internal Player(int address)
    {
        var crypto = new PlatformCrypto();
        bool isGateway = address == 1;
        var keys = new MeshKeys
        {
            NetworkKey = BenchSite.NetworkKey,
            DeviceKey = isGateway ? null : SiteKeys.CreateDeviceKey(crypto, BenchSite.Secret, (ushort)address),
            PairwiseShare = PairwiseKeys.CreateShare(crypto, BenchSite.Secret, (ushort)address),
            Devices = isGateway ? new BenchSite() : null,
        };
        _node = new MeshNode(new MeshConfig { Address = (ushort)address, IsGateway = isGateway }, keys, crypto, (uint)address, null);
        _node.Start(BenchSite.StartMs);
        Drain(BenchSite.StartMs);
    }

    internal MeshNode Node => _node;

    internal int Delivered { get; private set; }

    /// <summary>Takes the frames that the node sends; null to drop them.</summary>
    internal Action<MeshOutput>? Sent { get; set; }

    internal void Play(TapeEntry entry)
    {
        switch (entry.Kind)
        {
            case Touch.Frame:
                _node.HandleFrame(entry.NowMs, entry.Frame, 0, entry.Frame.Length, -60);
                break;
            case Touch.Timeout:
                _node.HandleTimeout(entry.NowMs);
                break;
            default:
                _node.SendReading(entry.NowMs, _payload, 0, PayloadLength, out _);
                break;
        }

        Drain(entry.NowMs);
    }

    private void Drain(long nowMs)
    {
        while (_node.Poll(_output))
        {
            switch (_output.Kind)
            {
                case OutputKind.Transmit:
                    Sent?.Invoke(_output);
                    break;
                case OutputKind.Store:
                    _node.HandleStored(nowMs, _output.Token, true);
                    break;
                case OutputKind.Deliver:
                    Delivered++;
                    _node.ReleaseCustody(nowMs, _output.Origin, _output.Boot, _output.ReadingSeq);
                    break;
            }
        }
    }
}

/// <summary>Keys of the site, known to all.</summary>
internal sealed class BenchSite : IDeviceKeys
{
    internal const long StartMs = 1000;
    internal static readonly byte[] Secret = Convert.FromHexString("000102030405060708090a0b0c0d0e0f");
    internal static readonly byte[] NetworkKey = SiteKeys.CreateNetworkKey(new PlatformCrypto(), Secret, 0);

    public bool TryGetDeviceKey(ushort address, byte[] key)
    {
        SiteKeys.CreateDeviceKey(new PlatformCrypto(), Secret, address).CopyTo(key, 0);
        return true;
    }

    public JoinVerdict MayJoin(ushort address) => JoinVerdict.Accepted;

    public bool TryGetNetworkKey(uint epoch, byte[] key) => false;
}
