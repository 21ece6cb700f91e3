using BenchmarkDotNet.Attributes;
using IoTMesh.Core;

namespace IoTMesh.Benchmarks;

/// <summary>The cryptography of one message: the hop tag of a 45-byte frame, a 20-byte reading sealed and opened end to end.</summary>
[MemoryDiagnoser]
[ShortRunJob]
public class SecurityBenchmarks
{
    private const int PlainLength = 24;
    private const int FrameLength = 45;
    private readonly byte[] _frame = new byte[250];
    private readonly byte[] _plain = new byte[PlainLength + Ccm.TagLength];
    private readonly byte[] _sealed = new byte[PlainLength + Ccm.TagLength];
    private readonly byte[] _nonce = new byte[Ccm.NonceLength];
    private readonly Ccm _ccm = new(64);
    private IBlockCipher _cipher = null!;
    private HopAuthenticator _hop = null!;
    private uint _counter;

    [GlobalSetup]
    public void MakeKeys()
    {
        var crypto = new PlatformCrypto();
        _cipher = crypto.CreateAes(SiteKeys.CreateDeviceKey(crypto, BenchSite.Secret, 3));
        _hop = new HopAuthenticator(crypto, BenchSite.NetworkKey, 0, 250);
        _ccm.Seal(_cipher, _nonce, null!, 0, _sealed, 0, PlainLength);
    }

    [Benchmark]
    public void HopTag() => _hop.Sign(_frame, FrameLength, ++_counter);

    [Benchmark]
    public void Seal() => _ccm.Seal(_cipher, _nonce, null!, 0, _plain, 0, PlainLength);

    [Benchmark]
    public bool Open()
    {
        // Opened in place, so the sealed text is brought back each time.
        Array.Copy(_sealed, _plain, _sealed.Length);
        return _ccm.Open(_cipher, _nonce, null!, 0, _plain, 0, PlainLength);
    }
}
