using BenchmarkDotNet.Attributes;
using BenchmarkDotNet.Engines;
using IoTMesh.Core;

namespace IoTMesh.Benchmarks;

/// <summary>Frames that arrive one by one: a full beacon without news, one for somebody else, one that was recorded.</summary>
[MemoryDiagnoser]
[SimpleJob(RunStrategy.Monitoring, launchCount: 1, warmupCount: 5, iterationCount: 20, invocationCount: 1)]
public class FrameBenchmarks
{
    private const int Frames = 2_000;
    private const int Rows = 30;
    private const ushort Sender = 77;
    private readonly byte[][] _beacons = new byte[Frames + 10][];
    private Player _player = null!;
    private byte[] _foreign = [];

    [GlobalSetup]
    public void MakeFrames()
    {
        var crypto = new PlatformCrypto();
        var hop = new HopAuthenticator(crypto, BenchSite.NetworkKey, 0, 250);
        int hint = KeySchedule.Derive(crypto, BenchSite.NetworkKey, KeySchedule.LabelHint, 0)[0] & 7;
        for (int i = 0; i < _beacons.Length; i++)
        {
            _beacons[i] = MakeBeacon(hop, hint, (uint)(i + 1));
        }

        _foreign = [.. _beacons[0]];
        Bytes.PutU16(_foreign, FrameFormat.OffsetDestination, 99);
    }

    [IterationSetup]
    public void Prepare()
    {
        _player = new Player(2);
        for (int i = 0; i < 10; i++)
        {
            ParseError error = _player.Node.HandleFrame(BenchSite.StartMs, _beacons[i], 0, _beacons[i].Length, -60);
            if (error != ParseError.None || _player.Node.NeighborCount != 1 || _player.Node.RouteCount != Rows + 1)
            {
                throw new InvalidOperationException($"the beacon was refused: {error}, {_player.Node.RouteCount} routes");
            }
        }
    }

    [Benchmark(OperationsPerInvoke = Frames)]
    public int BeaconOf30RowsHandled()
    {
        int accepted = 0;
        for (int i = 10; i < Frames + 10; i++)
        {
            accepted += _player.Node.HandleFrame(BenchSite.StartMs, _beacons[i], 0, _beacons[i].Length, -60) == ParseError.None ? 1 : 0;
        }

        return accepted == Frames ? accepted : throw new InvalidOperationException($"{accepted} of {Frames} beacons accepted");
    }

    [Benchmark(OperationsPerInvoke = Frames)]
    public int FrameForSomebodyElseIgnored() => Repeat(_foreign, ParseError.NotForMe);

    [Benchmark(OperationsPerInvoke = Frames)]
    public int RecordedFrameRefused() => Repeat(_beacons[0], ParseError.Replayed);

    private int Repeat(byte[] frame, ParseError expected)
    {
        int refused = 0;
        for (int i = 0; i < Frames; i++)
        {
            refused += _player.Node.HandleFrame(BenchSite.StartMs, frame, 0, frame.Length, -60) == expected ? 1 : 0;
        }

        return refused == Frames ? refused : throw new InvalidOperationException($"{refused} of {Frames} frames refused as {expected}");
    }

    private static byte[] MakeBeacon(HopAuthenticator hop, int hint, uint counter)
    {
        byte[] frame = new byte[FrameFormat.WideLength + BeaconFormat.FixedLength + (Rows * BeaconFormat.EntryLength) + FrameFormat.TagLength];
        frame[FrameFormat.OffsetKind] = FrameFormat.MakeKind(FrameFormat.TypeBeacon, 0);
        frame[FrameFormat.OffsetNetwork] = FrameFormat.MakeNetwork(hint, 0, 0);
        Bytes.PutU16(frame, FrameFormat.OffsetSource, Sender);
        Bytes.PutU16(frame, FrameFormat.OffsetDestination, MeshAddress.All);
        Bytes.PutU16(frame, FrameFormat.OffsetCounter, (ushort)counter);
        Bytes.PutU16(frame, FrameFormat.OffsetCounterHigh, (ushort)(counter >> 16));
        int at = FrameFormat.WideLength;
        Bytes.PutU16(frame, at + BeaconFormat.OffsetBoot, 1);
        Bytes.PutU16(frame, at + BeaconFormat.OffsetVersion, Rows);
        frame[at + BeaconFormat.OffsetSince] = BeaconFormat.SinceFull;
        frame[at + BeaconFormat.OffsetPart] = 1;
        Bytes.PutU16(frame, at + BeaconFormat.OffsetSeqNo, 1);
        frame[at + BeaconFormat.OffsetBeaconNumber] = (byte)counter;
        at += BeaconFormat.FixedLength;
        for (int row = 0; row < Rows; row++, at += BeaconFormat.EntryLength)
        {
            Bytes.PutU16(frame, at, (ushort)(100 + row));
            Bytes.PutU16(frame, at + BeaconFormat.EntryOffsetSeqNo, 1);
            Bytes.PutU16(frame, at + BeaconFormat.EntryOffsetMetric, (ushort)(64 + row));
        }

        hop.Sign(frame, at, counter);
        return frame;
    }
}
