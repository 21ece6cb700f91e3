using IoTMesh.Core;
using IoTMesh.Driver.Tests.Bench;
using IoTMesh.Simulation;

namespace IoTMesh.Driver.Tests;

public sealed class MeshDriverTests
{
    private const ushort GatewayAddress = 1;
    private const ushort NodeAddress = 2;
    private readonly VirtualBench _bench = new();
    private readonly TestGateway _gateway;
    private readonly TestGateway _application = new();
    private readonly TestLink _link;
    private readonly MeshDriver _driver;

    public MeshDriverTests()
    {
        _gateway = _bench.AddGateway(GatewayAddress);
        _link = _bench.Air.Connect(NodeAddress);
        _driver = new MeshDriver(_bench.Site.CreateNode(NodeAddress, false), _link, _bench.Clock, new MemoryStorage(), _application, 4);
        _bench.Add(_driver);
    }

    [Fact]
    public void Reading_reaches_the_gateway_and_leaves_custody_when_released()
    {
        JoinMesh();
        Assert.True(_driver.TrySendReading([0x01, 0x61], 0, 2, 7));
        Assert.True(_bench.RunUntil(() => _gateway.Messages.Count > 0, 2_000));
        Delivered reading = Assert.Single(_gateway.Messages);
        Assert.Equal((NodeAddress, true, 1u), (reading.Origin, reading.IsReading, reading.ReadingSeq));
        Assert.Equal([0x01, 0x61], reading.Payload);
        Assert.Equal((7, SendResult.Accepted, 1), Assert.Single(_application.Posted));
        Assert.True(_bench.RunUntil(() => _driver.Node.CustodyCount == 0, 60_000));
        _bench.Run(120_000);
        Assert.Single(_gateway.Readings);
    }

    [Fact]
    public void Confirmed_message_posted_by_another_thread_completes()
    {
        JoinMesh();
        var poster = new Thread(() => Assert.True(_driver.TrySend(GatewayAddress, 40, MeshClass.Normal, true, [1, 2, 3], 0, 3, 9)));
        poster.Start();
        poster.Join();
        Assert.True(_bench.RunUntil(() => _application.Completed.Count > 0, 5_000));
        (int tag, SendResult result, int token) = Assert.Single(_application.Posted);
        Assert.Equal((9, SendResult.Accepted), (tag, result));
        Assert.Equal((token, true), Assert.Single(_application.Completed));
        Assert.Equal([1, 2, 3], Assert.Single(_gateway.Messages).Payload);
    }

    [Fact]
    public void Full_inbox_and_too_long_payload_are_refused()
    {
        for (int i = 0; i < 4; i++)
        {
            Assert.True(_driver.TrySend(GatewayAddress, 40, MeshClass.Normal, false, [1], 0, 1, i));
        }

        Assert.False(_driver.TrySend(GatewayAddress, 40, MeshClass.Normal, false, [1], 0, 1, 4));
        Assert.False(_driver.TryReleaseCustody(3, 1, 1));
        _bench.Run(1);
        byte[] tooLong = new byte[_driver.Node.Config.MaxTransferLength + 1];
        Assert.False(_driver.TrySend(GatewayAddress, 40, MeshClass.Normal, false, tooLong, 0, tooLong.Length, 5));
        Assert.False(_driver.TrySendReading(tooLong, 0, tooLong.Length, 5));
        Assert.Equal([0, 1, 2, 3], _application.Posted.Select(posted => posted.Tag));
    }

    [Fact]
    public void Failing_application_is_counted_and_the_mesh_goes_on()
    {
        JoinMesh();
        _gateway.IsBroken = true;
        _gateway.NextDeadlineMs = 0;
        Assert.True(_driver.TrySendReading([0x01, 0x61], 0, 2, 0));
        Assert.True(_bench.RunUntil(() => _gateway.Driver.ApplicationFaults > 1, 2_000));
        Assert.Equal("application broken on purpose", _gateway.Driver.LastFault.Message);
        _gateway.IsBroken = false;
        Assert.True(_driver.TrySendReading([0x01, 0x62], 0, 2, 0));
        Assert.True(_bench.RunUntil(() => _gateway.Messages.Any(message => message.Payload[1] == 0x62), 2_000));
        Assert.Equal(0, _gateway.Driver.DriverFaults);
    }

    [Fact]
    public void Failing_link_is_counted_and_the_node_is_back_when_it_works_again()
    {
        JoinMesh();
        _link.IsBroken = true;
        Assert.True(_driver.TrySendReading([0x01, 0x61], 0, 2, 0));
        _bench.Run(50);
        Assert.NotEqual(0, _driver.DriverFaults);
        _link.IsBroken = false;
        Assert.True(_bench.RunUntil(() => _gateway.Messages.Count == 1, 120_000));
    }

    [Fact]
    public void Time_that_storing_takes_is_not_taken_back()
    {
        const ushort Address = 3;
        var application = new TestGateway();
        var storage = new SlowStorage(_bench.Clock);
        var driver = new MeshDriver(_bench.Site.CreateNode(Address, false), _bench.Air.Connect(Address), _bench.Clock, storage, application, 4);
        _bench.Add(driver);
        Assert.True(_bench.RunUntil(() => driver.Node.NearestGateway == GatewayAddress, 30_000));
        Assert.True(driver.TrySendReading([0x01, 0x61], 0, 2, 0));
        Assert.True(_bench.RunUntil(() => _gateway.Messages.Any(message => message.Origin == Address), 5_000));
        Assert.NotEqual(0, storage.Stores);
        Assert.Equal(0, driver.DriverFaults);
    }

    [Fact]
    public void Application_deadline_is_kept()
    {
        _application.NextDeadlineMs = _bench.Clock.NowMs + 50;
        _bench.Run(49);
        Assert.Equal(0, _application.Timeouts);
        _bench.Run(1);
        Assert.Equal(1, _application.Timeouts);
        _bench.Run(100);
        Assert.Equal(1, _application.Timeouts);
    }

    [Fact]
    public void Nothing_is_allocated_per_frame()
    {
        JoinMesh();
        _gateway.IsCountingOnly = true;
        _application.IsCountingOnly = true;
        byte[] reading = [0x01, 0x61, 0x02, 0xCA, 0x09];
        SendReadings(reading, 100);
        int frames = _link.FramesSent;
        int delivered = _gateway.Count;
        long before = GC.GetAllocatedBytesForCurrentThread();
        SendReadings(reading, 200);
        long allocated = GC.GetAllocatedBytesForCurrentThread() - before;
        Assert.True(_gateway.Count - delivered >= 200, $"{_gateway.Count - delivered} of 200 delivered");
        Assert.True(_link.FramesSent - frames >= 200);
        Assert.Equal(0, allocated);
    }

    [Fact]
    public void Threads_of_their_own_over_a_real_time_air()
    {
        using var air = new RealTimeAir(Topology.Create(TopologyKind.Line, 2), 1);
        var site = new TestSite();
        var gateway = new TestGateway();
        var application = new TestGateway();
        var clock = new SystemClock();
        var first = new MeshDriver(site.CreateNode(1, true), air.Connect(1), clock, new MemoryStorage(), gateway, 16);
        var second = new MeshDriver(site.CreateNode(2, false), air.Connect(2), clock, new MemoryStorage(), application, 16);
        first.Start();
        second.Start();
        try
        {
            // Refused until the node has stored its counters, kept from then on until the gateway has it.
            Assert.True(SpinWait.SpinUntil(
                () => second.TrySendReading([0x01, 0x61], 0, 2, 1) && application.Posted.Any(p => p.Result == SendResult.Accepted), 60_000));
            Assert.True(SpinWait.SpinUntil(() => gateway.Count > 0, 60_000));
        }
        finally
        {
            Assert.True(first.Stop(20_000));
            Assert.True(second.Stop(20_000));
        }

        Assert.Equal(0, first.DriverFaults + second.DriverFaults);
    }

    private void JoinMesh()
    {
        Assert.True(_bench.RunUntil(() => _driver.Node.NearestGateway == GatewayAddress, 30_000));
    }

    private void SendReadings(byte[] reading, int count)
    {
        for (int i = 0; i < count; i++)
        {
            _driver.TrySendReading(reading, 0, reading.Length, 0);
            for (int ms = 0; ms < 100; ms++)
            {
                _bench.Run(1);
            }
        }
    }

    /// <summary>Flash that is busy for a while; the node's asserts hold that its time only grows.</summary>
    private sealed class SlowStorage(ManualClock clock) : IMeshStorage
    {
        internal int Stores { get; private set; }

        public byte[]? LoadLog(byte log) => null;

        public bool Append(byte log, bool begins, byte[] buffer, int count) => true;

        public byte[] Load(byte record) => null!;

        public bool Store(byte record, byte[] buffer, int count)
        {
            Stores++;
            clock.NowMs += 40;
            return true;
        }
    }
}
