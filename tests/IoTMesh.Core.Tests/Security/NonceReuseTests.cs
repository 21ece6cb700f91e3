using IoTMesh.Core;

namespace IoTMesh.Core.Tests.Security;

/// <summary>protocol.md 9: no power cut brings a frame or message counter back.</summary>
public class NonceReuseTests
{
    private readonly HashSet<uint> _frames = [];
    private readonly HashSet<uint> _messages = [];
    private readonly Random _random = new(99);
    private readonly MeshOutput _output = new(250);
    private byte[]? _stored;
    private uint _highestFrame;

    [Fact]
    public void No_counter_repeats_over_many_reboots_with_the_power_cut_around_every_store()
    {
        for (int boot = 0; boot < 300; boot++)
        {
            RunUntilPowerCut(cutAtStore: _random.Next(1, 4), storeSurvives: _random.Next(2) == 0, steps: _random.Next(1, 40));
        }

        Assert.True(_frames.Count > 500, $"only {_frames.Count} frames were sent: the test shows nothing");
        Assert.True(_messages.Count > 300, $"only {_messages.Count} messages were sent: the test shows nothing");
    }

    [Fact]
    public void Stores_go_on_in_time_while_a_block_is_used_up()
    {
        int stores = RunUntilPowerCut(cutAtStore: int.MaxValue, storeSurvives: true, steps: 20_000);
        Assert.True(stores >= 3, $"{stores} stores");
        RunUntilPowerCut(cutAtStore: int.MaxValue, storeSurvives: true, steps: 100);
    }

    private int RunUntilPowerCut(int cutAtStore, bool storeSurvives, int steps)
    {
        var config = new MeshConfig { Address = 9, BeaconMaxMs = 1000 };
        var keys = new MeshKeys { NetworkKey = new byte[16], DeviceKey = new byte[16], PairwiseShare = new byte[PairwiseKeys.ShareLength] };
        var node = new MeshNode(config, keys, new PlatformCrypto(), 1, _stored);
        long nowMs = 1;
        int stores = 0;
        node.Start(nowMs);
        for (int step = 0; step < steps; step++)
        {
            while (node.Poll(_output))
            {
                if (_output.Kind == OutputKind.Store)
                {
                    // Cut either before the record reached the flash or after, but before the node could know.
                    stores++;
                    bool cut = stores == cutAtStore;
                    _stored = !cut || storeSurvives ? _output.Buffer[.._output.Length] : _stored;
                    if (cut)
                    {
                        return stores;
                    }

                    node.HandleStored(nowMs, _output.Token, true);
                }
                else if (_output.Kind == OutputKind.Transmit)
                {
                    Note(_output.Buffer);
                }
            }

            node.Send(nowMs, MeshAddress.All, 40, MeshClass.Normal, false, [1], 0, 1, out _);
            nowMs += 200;
            node.HandleTimeout(nowMs);
        }

        return stores;
    }

    private void Note(byte[] frame)
    {
        uint counter = Bytes.GetU32(frame, FrameFormat.OffsetCounter);
        Assert.True(_frames.Add(counter), $"frame counter {counter} was sent before");
        Assert.True(counter > _highestFrame);
        _highestFrame = counter;
        if (FrameFormat.GetType(frame[0]) == FrameFormat.TypeFlood)
        {
            var header = new MessageHeader();
            Assert.Equal(ParseError.None, header.Parse(frame, FrameFormat.WideLength, 200, 9));
            byte[] body = frame[header.BodyOffset..(header.BodyOffset + 10)];
            Assert.True(_messages.Add(header.Counter) || _bodies[header.Counter].AsSpan().SequenceEqual(body),
                $"message counter {header.Counter} was sent before with another text");
            _bodies[header.Counter] = body;
        }
    }

    private readonly Dictionary<uint, byte[]> _bodies = [];
}
