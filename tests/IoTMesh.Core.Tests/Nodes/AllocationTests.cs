using IoTMesh.Core;

namespace IoTMesh.Core.Tests.Nodes;

/// <summary>The core allocates nothing once its peers are known.</summary>
[Collection("memory")]
public class AllocationTests
{
    private const int Nodes = 3;
    private const int AirCapacity = 64;
    private readonly MeshNode[] _nodes = new MeshNode[Nodes];
    private readonly MeshOutput _output = new(new MeshConfig());
    private readonly byte[][] _air = new byte[AirCapacity][];
    private readonly int[] _airTo = new int[AirCapacity];
    private readonly int[] _airLength = new int[AirCapacity];
    private readonly byte[] _payload = new byte[20];
    private readonly byte[] _long = new byte[1024];
    private int _airHead;
    private int _airCount;
    private int _delivered;
    private long _nowMs = 1000;

    private void Build()
    {
        for (int i = 0; i < AirCapacity; i++)
        {
            _air[i] = new byte[250];
        }

        var crypto = new PlatformCrypto();
        for (int i = 0; i < Nodes; i++)
        {
            ushort address = (ushort)(i + 1);
            var keys = new MeshKeys
            {
                NetworkKey = MiniMesh.NetworkKey,
                DeviceKey = i == 0 ? null : SiteKeys.CreateDeviceKey(crypto, MiniMesh.SiteSecret, address),
                PairwiseShare = PairwiseKeys.CreateShare(crypto, MiniMesh.SiteSecret, address),
                Devices = i == 0 ? new MiniMesh() : null,
            };
            _nodes[i] = new MeshNode(new MeshConfig { Address = address, IsGateway = i == 0 }, keys, crypto, address, null);
            _nodes[i].Start(_nowMs);
            Drain(i);
        }
    }

    private void Drain(int index)
    {
        MeshNode node = _nodes[index];
        while (node.Poll(_output))
        {
            if (_output.Kind == OutputKind.Transmit)
            {
                Transmit(index, index - 1);
                Transmit(index, index + 1);
            }
            else if (_output.Kind == OutputKind.Store)
            {
                node.HandleStored(_nowMs, _output.Token, true);
            }
            else if (_output.Kind == OutputKind.Deliver)
            {
                _delivered++;
                if (_output.IsReading)
                {
                    node.ReleaseCustody(_nowMs, _output.Origin, _output.Boot, _output.ReadingSeq);
                }
            }
        }
    }

    private void Transmit(int from, int to)
    {
        bool addressed = _output.LinkDestination == MeshAddress.All || _output.LinkDestination == to + 1;
        if (to < 0 || to >= Nodes || !addressed || _airCount == AirCapacity)
        {
            return;
        }

        int at = (_airHead + _airCount) % AirCapacity;
        Array.Copy(_output.Buffer, _air[at], _output.Length);
        _airTo[at] = to;
        _airLength[at] = _output.Length;
        _airCount++;
    }

    private void Run(int milliseconds)
    {
        for (int i = 0; i < milliseconds; i++)
        {
            _nowMs++;
            for (int waiting = _airCount; waiting > 0; waiting--)
            {
                int at = _airHead;
                _airHead = (_airHead + 1) % AirCapacity;
                _airCount--;
                _nodes[_airTo[at]].HandleFrame(_nowMs, _air[at], 0, _airLength[at], -60);
                Drain(_airTo[at]);
            }

            for (int n = 0; n < Nodes; n++)
            {
                if (_nodes[n].NextDeadlineMs <= _nowMs)
                {
                    _nodes[n].HandleTimeout(_nowMs);
                    Drain(n);
                }
            }
        }
    }

    private void Traffic(int rounds)
    {
        for (int i = 0; i < rounds; i++)
        {
            _nodes[0].SetTime(_nowMs, 1_780_000_000_000 + _nowMs);
            _nodes[2].SendReading(_nowMs, _payload, 0, 20, out _);
            _nodes[0].Send(_nowMs, 3, 40, MeshClass.Normal, true, _payload, 0, 20, out _);
            _nodes[1].Send(_nowMs, MeshAddress.All, 41, MeshClass.Bulk, false, _payload, 0, 20, out _);
            Run(250);
            _nodes[2].Send(_nowMs, MeshAddress.AnyGateway, 42, MeshClass.Normal, false, _long, 0, _long.Length, out _);
            Run(250);
        }
    }

    [Fact]
    public void Received_forwarded_and_sent_frames_cost_zero_bytes_in_steady_state()
    {
        Build();
        Run(10_000);
        Traffic(40);
        int deliveredBefore = _delivered;
        long framesBefore = _nodes[1].Counters.FramesSent + _nodes[1].Counters.FramesReceived;
        long before = GC.GetAllocatedBytesForCurrentThread();
        Traffic(100);
        long allocated = GC.GetAllocatedBytesForCurrentThread() - before;
        long frames = _nodes[1].Counters.FramesSent + _nodes[1].Counters.FramesReceived - framesBefore;
        Assert.True(frames > 500, $"only {frames} frames at the relay: the test shows nothing");
        Assert.InRange(_delivered - deliveredBefore, 490, 510);
        Assert.Equal(0, allocated);
        Assert.True(_nodes[2].TimeKnown);
    }
}
