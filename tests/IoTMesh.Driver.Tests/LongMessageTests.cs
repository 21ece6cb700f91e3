using IoTMesh.Core;
using IoTMesh.Driver.Tests.Bench;

namespace IoTMesh.Driver.Tests;

/// <summary>Payloads longer than a frame, through the driver and over the UDP air.</summary>
public sealed class LongMessageTests
{
    private const ushort GatewayAddress = 1;
    private const ushort NodeAddress = 2;
    private readonly TestGateway _application = new();

    private static byte[] Content(int length)
    {
        byte[] content = new byte[length];
        new Random(length).NextBytes(content);
        return content;
    }

    private MeshDriver CreateDriver(VirtualBench bench)
    {
        MeshNode node = bench.Site.CreateNode(NodeAddress, false);
        var driver = new MeshDriver(node, bench.Air.Connect(NodeAddress), bench.Clock, new MemoryStorage(), _application, 4);
        bench.Add(driver);
        Assert.True(bench.RunUntil(() => node.NearestGateway == GatewayAddress, 30_000));
        return driver;
    }

    [Fact]
    public void Long_payloads_pass_the_inbox_both_ways()
    {
        var bench = new VirtualBench();
        TestGateway gateway = bench.AddGateway(GatewayAddress);
        MeshDriver driver = CreateDriver(bench);
        byte[] up = Content(1024);
        byte[] down = Content(777);
        Assert.True(driver.TrySend(MeshAddress.AnyGateway, 40, MeshClass.Normal, true, up, 0, up.Length, 1));
        Assert.True(gateway.Driver.TrySend(NodeAddress, 41, MeshClass.Normal, true, down, 0, down.Length, 2));
        Assert.True(bench.RunUntil(() => gateway.Messages.Count == 1 && _application.Messages.Count == 1, 10_000));
        Assert.Equal(up, gateway.Messages.Single().Payload);
        Assert.Equal(down, _application.Messages.Single().Payload);
        Assert.True(bench.RunUntil(() => _application.Completed.Any(done => done.Success), 5_000));
    }

    [Fact]
    public void The_inbox_holds_one_long_payload_and_short_ones_beside_it()
    {
        var bench = new VirtualBench();
        TestGateway gateway = bench.AddGateway(GatewayAddress);
        MeshDriver driver = CreateDriver(bench);
        byte[] first = Content(500);
        byte[] second = Content(600);
        Assert.True(driver.TrySend(GatewayAddress, 40, MeshClass.Normal, true, [7], 0, 1, 1));
        Assert.True(driver.TrySend(GatewayAddress, 40, MeshClass.Normal, true, first, 0, first.Length, 2));
        Assert.False(driver.TrySend(GatewayAddress, 40, MeshClass.Normal, true, second, 0, second.Length, 3));
        Assert.True(driver.TrySend(GatewayAddress, 40, MeshClass.Normal, true, [8], 0, 1, 4));
        Assert.True(bench.RunUntil(() => gateway.Messages.Count == 3, 10_000));
        Assert.True(bench.RunUntil(() => _application.Completed.Count == 3, 10_000));
        Assert.True(driver.TrySend(GatewayAddress, 40, MeshClass.Normal, true, second, 0, second.Length, 5));
        Assert.True(bench.RunUntil(() => gateway.Messages.Count == 4, 10_000));
        Assert.Equal(
            [[7], [8], first, second],
            gateway.Messages.Select(message => message.Payload).OrderBy(payload => payload.Length).ThenBy(payload => payload[0]));
    }

    [Fact]
    public void A_long_payload_crosses_the_udp_air()
    {
        using var air = new RunningAir(2);
        var site = new TestSite();
        var gateway = new TestGateway();
        var clock = new SystemClock();
        MeshDriver[] drivers =
        [
            new(site.CreateNode(1, true), new UdpAirLink(1, "127.0.0.1", air.Port, clock), clock, new MemoryStorage(), gateway, 4),
            new(site.CreateNode(2, false), new UdpAirLink(2, "127.0.0.1", air.Port, clock), clock, new MemoryStorage(), _application, 4),
        ];
        Array.ForEach(drivers, driver => driver.Start());
        try
        {
            byte[] content = Content(1024);
            bool posted = false;
            bool arrived = SpinWait.SpinUntil(
                () =>
                {
                    posted = posted || drivers[1].TrySend(MeshAddress.AnyGateway, 40, MeshClass.Normal, true, content, 0, content.Length, 1);
                    posted = posted && !_application.Completed.Any(done => !done.Success);
                    Thread.Sleep(10);
                    return !gateway.Messages.IsEmpty;
                },
                20_000);
            Assert.True(arrived, "nothing arrived in 20 s");
            Assert.Equal(content, gateway.Messages.First().Payload);
        }
        finally
        {
            Array.ForEach(drivers, driver => driver.Stop(5_000));
        }
    }
}
