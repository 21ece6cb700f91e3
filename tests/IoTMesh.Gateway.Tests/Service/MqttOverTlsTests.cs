using System.Diagnostics;
using IoTMesh.Driver;
using IoTMesh.Gateway.Demo;
using IoTMesh.Gateway.Service;
using IoTMesh.Gateway.Settings;
using IoTMesh.Gateway.Tests.Bridge;
using IoTMesh.Mqtt.Tests;
using IoTMesh.Simulation;

namespace IoTMesh.Gateway.Tests.Service;

/// <summary>A gateway by its settings: a broker with TLS in it, and one beside it that wants a client certificate.</summary>
public sealed class MqttOverTlsTests : IDisposable
{
    private readonly TestAuthority _authority = new();
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("iotmesh-mqtts-");
    private readonly VirtualSite _site = new(Topology.Create(TopologyKind.Line, 2), new byte[32], periodSeconds: 1, seed: 1);

    [Fact]
    public async Task The_own_broker_takes_its_users_by_certificate_and_nobody_else()
    {
        if (Mosquitto.Find("mosquitto_sub") is null)
        {
            return;
        }

        TestAuthority.Issued server = _authority.Server("127.0.0.1");
        await using GatewayService gateway = await StartAsync(new MqttSettings
        {
            Listen = new Endpoint("127.0.0.1", 0),
            TlsListen = new Endpoint("127.0.0.1", 0),
            Certificate = server.Certificate,
            Key = server.Key,
            ClientAuthority = _authority.File,
            RequireClientCertificate = true,
            Users = [new UserSettings("dashboard", "")],
        });
        await Eventually.HoldsAsync(() => gateway.Live.Current.Outbox.BrokerConnected, "the gateway itself is connected");
        Assert.Equal((0, "online\n"), await SubscribeAsync(gateway.MqttTlsPort, _authority.Client("dashboard")));
        Assert.NotEqual(0, (await SubscribeAsync(gateway.MqttTlsPort, _authority.Client("stranger"))).Code);
        Assert.NotEqual(0, (await SubscribeAsync(gateway.MqttTlsPort, null)).Code);
    }

    [Fact]
    public async Task The_gateway_shows_its_certificate_to_another_broker_and_says_what_is_wrong_with_it()
    {
        TestAuthority.Issued client = _authority.Client("gw1");
        TestAuthority.Issued server = _authority.Server("127.0.0.1");
        await using var broker = new IoTMesh.Mqtt.MqttBroker(new IoTMesh.Mqtt.MqttBrokerOptions
        {
            Port = 0,
            Tls = new IoTMesh.Mqtt.MqttTlsListener
            {
                Port = 0,
                Certificate = new IoTMesh.Mqtt.PemCertificate(server.Certificate, server.Key),
                ClientAuthorityFile = _authority.File,
                RequireClientCertificate = true,
            },
        });
        await broker.StartAsync();
        var mqtt = new MqttSettings
        {
            Broker = new Endpoint("127.0.0.1", broker.TlsPort),
            Tls = true,
            Authority = _authority.File,
            Certificate = client.Certificate,
            Key = client.Key,
            Pins = [server.Pin],
        };
        await using (GatewayService gateway = await StartAsync(mqtt))
        {
            await Eventually.HoldsAsync(() => gateway.Live.Current.Outbox.BrokerConnected, "the gateway is connected");
        }

        await using GatewayService wrong = await StartAsync(mqtt with { Pins = [client.Pin] });
        await Eventually.HoldsAsync(
            () => wrong.Live.Current.Events.Any(e => e.Text.Contains("not one of the pinned ones", StringComparison.Ordinal)),
            "it says what is wrong");
    }

    public void Dispose()
    {
        _site.Dispose();
        _folder.Delete(recursive: true);
        _authority.Dispose();
    }

    private async Task<(int Code, string Output)> SubscribeAsync(int port, TestAuthority.Issued? client)
    {
        string[] shown = client is null ? [] : ["--cert", client.Certificate, "--key", client.Key];
        string[] arguments =
            ["-h", "127.0.0.1", "-p", $"{port}", "--cafile", _authority.File, "-t", "iotmesh/v1/t/gw/gw1/state", "-C", "1", "-W", "10", .. shown];
        using Process process = Process.Start(
            new ProcessStartInfo(Mosquitto.Find("mosquitto_sub")!, arguments) { RedirectStandardOutput = true, RedirectStandardError = true })!;
        string output = await process.StandardOutput.ReadToEndAsync();
        await process.WaitForExitAsync();
        return (process.ExitCode, output);
    }

    private Task<GatewayService> StartAsync(MqttSettings mqtt)
    {
        return GatewayService.StartAsync(new GatewayParts
        {
            Settings = new GatewaySettings { Site = "t", Http = new HttpSettings { Listen = new Endpoint("127.0.0.1", 0) }, Mqtt = mqtt },
            SiteSecret = new byte[32],
            Database = Path.Combine(_folder.FullName, "gateway.db"),
            Link = _site.ConnectGateway(),
            MeshStorage = new MemoryStorage(),
        });
    }
}
