using BenchmarkDotNet.Attributes;
using BenchmarkDotNet.Engines;

namespace IoTMesh.Benchmarks;

/// <summary>
/// What one 20-byte reading in custody costs each node on its way over two hops, hop acks, watermarks, beacons and timers
/// included: sent by its origin, received and forwarded by a relay, received, opened, delivered and committed at the gateway.
/// </summary>
[MemoryDiagnoser]
[SimpleJob(RunStrategy.Monitoring, launchCount: 1, warmupCount: 5, iterationCount: 20, invocationCount: 1)]
public class ReadingBenchmarks
{
    private Player _player = null!;
    private TapeEntry[] _tape = [];
    private int _node;
    private long _framesBefore;

    [IterationSetup(Target = nameof(SentByItsOrigin))]
    public void PrepareOrigin() => Prepare(Exchange.Origin);

    [IterationSetup(Target = nameof(ForwardedByARelay))]
    public void PrepareRelay() => Prepare(Exchange.Relay);

    [IterationSetup(Target = nameof(DeliveredAtAGateway))]
    public void PrepareGateway() => Prepare(Exchange.Gateway);

    [IterationCleanup]
    public void Check() => Exchange.Instance.Check(_node, _player, _framesBefore);

    [Benchmark(OperationsPerInvoke = Exchange.Readings)]
    public void SentByItsOrigin() => Play();

    [Benchmark(OperationsPerInvoke = Exchange.Readings)]
    public void ForwardedByARelay() => Play();

    [Benchmark(OperationsPerInvoke = Exchange.Readings)]
    public void DeliveredAtAGateway() => Play();

    private void Prepare(int node)
    {
        _node = node;
        _player = Exchange.Instance.Prepared(node);
        _tape = Exchange.Instance.Measured(node);
        _framesBefore = _player.Node.Counters.FramesSent;
    }

    private void Play()
    {
        foreach (TapeEntry entry in _tape)
        {
            _player.Play(entry);
        }
    }
}
