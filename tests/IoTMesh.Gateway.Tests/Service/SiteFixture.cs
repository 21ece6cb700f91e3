using IoTMesh.Driver;
using IoTMesh.Gateway.Demo;
using IoTMesh.Gateway.Service;
using IoTMesh.Gateway.Settings;
using IoTMesh.Gateway.Storage;
using IoTMesh.Simulation;

namespace IoTMesh.Gateway.Tests.Service;

/// <summary>A real site in this process: virtual nodes in a line, gateway, own broker, web server, on free ports.</summary>
public sealed class SiteFixture : IAsyncLifetime
{
    public const int Nodes = 4;

    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("iotmesh-service-");
    private VirtualSite? _site;

    internal GatewayService Gateway { get; private set; } = null!;

    public HttpClient Http { get; private set; } = null!;

    public async Task InitializeAsync()
    {
        byte[] secret = new byte[32];
        secret[0] = 1;
        _site = new VirtualSite(Topology.Create(TopologyKind.Line, Nodes + 1), secret, periodSeconds: 1, seed: 1);
        string database = Path.Combine(_folder.FullName, "gateway.db");
        using (var store = new GatewayStore(database, _ => null, TimeProvider.System))
        {
            store.Start();
            await Task.WhenAll(_site.Devices.Select(d => store.SaveDeviceAsync(d)));
        }

        Gateway = await GatewayService.StartAsync(new GatewayParts
        {
            Settings = new GatewaySettings
            {
                Site = "t",
                CommandTimeoutMs = 8_000,
                Http = new HttpSettings { Listen = new Endpoint("127.0.0.1", 0) },
                Mqtt = new MqttSettings { Listen = new Endpoint("127.0.0.1", 0) },
            },
            SiteSecret = secret,
            Database = database,
            Link = _site.ConnectGateway(),
            MeshStorage = new MemoryStorage(),
        });
        _site.StartAll();
        Http = new HttpClient { BaseAddress = Gateway.Address };
    }

    public async Task DisposeAsync()
    {
        Http.Dispose();
        await Gateway.DisposeAsync();
        _site!.Dispose();
        _folder.Delete(recursive: true);
    }
}
