using System.Buffers.Binary;
using System.Net;
using System.Security.Cryptography;
using IoTMesh.Core;
using IoTMesh.Driver;
using IoTMesh.Gateway.Bridge;
using IoTMesh.Gateway.Http;
using IoTMesh.Gateway.Live;
using IoTMesh.Gateway.Mesh;
using IoTMesh.Gateway.Settings;
using IoTMesh.Gateway.Site;
using IoTMesh.Gateway.Storage;
using IoTMesh.Mqtt;

namespace IoTMesh.Gateway.Service;

/// <summary>A running gateway: mesh thread, store thread, broker, bridge and web server, put together and taken apart.</summary>
public sealed class GatewayService : IAsyncDisposable
{
    private const int RestoredReadings = 60;
    private static readonly TimeSpan _stopTimeout = TimeSpan.FromSeconds(3);

    private readonly GatewayParts _parts;
    private readonly CancellationTokenSource _stopping = new();
    private readonly List<Task> _loops = [];
    private MqttBroker? _broker;
    private MqttClient? _client;
    private MqttBridge? _bridge;
    private WebApplication? _web;

    private GatewayService(GatewayParts parts)
    {
        _parts = parts;
        GatewaySettings settings = parts.Settings;
        Registry = new Registry(parts.SiteSecret, parts.Box, parts.Time);
        Store = new GatewayStore(parts.Database, Registry.FindMember, parts.Time, settings.Storage.OutboxMax, settings.Storage.KeepDays);
        Live = new LiveMesh(settings.Site, settings.Gateway, settings.Address, settings.OfflineAfterMs, parts.Time);
        Registry.Changed += Live.SetDevices;
        Registry.Load(Store);
        Keys = new KeyKeeper(settings, Store, Registry, Live, parts.Time);
        Mesh = new MeshService(CreateNode(), parts.Link, new SystemClock(), parts.MeshStorage, Store, parts.Time);
        Keys.Attach(Mesh);
        Commands = new CommandService(Mesh, settings.CommandTimeoutMs);
        Audit = new StoreAudit(Store);
    }

    internal IAudit Audit { get; }

    public LiveMesh Live { get; }

    public GatewayStore Store { get; }

    public Registry Registry { get; }

    public MeshService Mesh { get; }

    /// <summary>Joins, revocation and the network key.</summary>
    public KeyKeeper Keys { get; }

    public CommandService Commands { get; }

    /// <summary>Where the own broker listens; 0 with another broker.</summary>
    public int MqttPort => _broker?.Port ?? 0;

    /// <summary>Where it listens with TLS; 0 where it does not.</summary>
    public int MqttTlsPort => _broker?.TlsPort ?? 0;

    /// <summary>Where pages and REST are.</summary>
    public Uri Address { get; private set; } = new("http://127.0.0.1/");

    public OutboxPublisher Publisher { get; private set; } = null!;

    /// <summary>Starts everything. Throws one-line exceptions of settings, site, storage and ports; then nothing is left running.</summary>
    public static async Task<GatewayService> StartAsync(GatewayParts parts)
    {
        var service = new GatewayService(parts);
        try
        {
            await service.StartAsync();
            return service;
        }
        catch
        {
            await service.DisposeAsync();
            throw;
        }
    }

    /// <summary>Stops in the order in which nothing is lost: first the mesh, then what was posted, then the broker.</summary>
    public async ValueTask DisposeAsync()
    {
        Mesh.Dispose();
        await _stopping.CancelAsync();
        await WaitAsync(Task.WhenAll(_loops));
        if (_web is not null)
        {
            using var soon = new CancellationTokenSource(_stopTimeout);
            await WaitAsync(_web.StopAsync(soon.Token));
            await _web.DisposeAsync();
        }

        if (_client is not null)
        {
            await WaitAsync(_client.StopAsync());
        }

        if (_broker is not null)
        {
            await _broker.DisposeAsync();
        }

        _bridge?.Dispose();
        Store.Dispose();
        Live.Dispose();
        _stopping.Dispose();
    }

    /// <summary>The gateway's health as JSON: <c>status</c> is ok or degraded, with the reasons.</summary>
    public byte[] Health()
    {
        var reasons = new List<string>();
        if (_client is { IsConnected: false })
        {
            reasons.Add("the broker cannot be reached; readings wait in the outbox");
        }

        if (Mesh.Faults > 0)
        {
            reasons.Add($"{Mesh.Faults} defects in the mesh loop, the last: {Mesh.LastFault?.Message}");
        }

        if (Store.LastFailure is not null)
        {
            reasons.Add(Store.LastFailure);
        }

        MeshView view = Live.Current;
        return Payloads.Object(json =>
        {
            json.WriteString("status", reasons.Count == 0 ? "ok" : "degraded");
            json.WriteStartArray("reasons");
            reasons.ForEach(json.WriteStringValue);
            json.WriteEndArray();
            json.WriteBoolean("mqtt_connected", _client?.IsConnected ?? false);
            json.WriteNumber("outbox_depth", Store.OutboxDepth);
            json.WriteNumber("nodes", view.Nodes.Count(n => !n.IsGateway));
            json.WriteNumber("nodes_online", view.Nodes.Count(n => n is { IsGateway: false, Online: true }));
        });
    }

    private async Task StartAsync()
    {
        GatewaySettings settings = _parts.Settings;
        foreach (Device device in Registry.Devices)
        {
            Live.Restore(Store.ReadReadings(device, 0, long.MaxValue, RestoredReadings).Reverse());
        }

        await StartBrokerAsync(settings.Mqtt);
        var client = new MqttClient(ClientOptions(settings));
        _client = client;
        var topics = new Topics(settings.Site, settings.Gateway);
        Publisher = new OutboxPublisher(Store, client, Registry, topics, settings.Gateway, settings.Mqtt.Window, _parts.Time);
        var runner = new CommandRunner(Commands, Audit);
        var operations = new GatewayOperations(Store, Registry, Live, Keys, Health);
        _bridge = new MqttBridge(settings, client, Live, Registry, runner, operations, Publisher, Health);
        Store.Committed += Live.Apply;
        Store.Failed += reason => Live.AddEvent("error", "storage", reason);
        Mesh.SnapshotTaken += Live.Apply;
        _web = await HttpHost.StartAsync(settings.Http, _parts.Folder, Live, services => AddServices(services, runner, operations), Health);
        Address = new Uri(_web.Urls.First() + "/");
        Store.Start();
        Mesh.Start();
        _loops.Add(Task.Run(() => GoOnAsync("mqtt", () => _bridge.RunAsync(_stopping.Token))));
        _loops.Add(Task.Run(() => GoOnAsync("outbox", () => Publisher.RunAsync(_stopping.Token))));
        _loops.Add(Task.Run(() => GoOnAsync("messages", HandleMessagesAsync)));
        _loops.Add(Task.Run(() => GoOnAsync("watch", WatchAsync)));
        _loops.Add(Task.Run(() => GoOnAsync("joins", () => Keys.HandleJoinsAsync(_stopping.Token))));
        _loops.Add(Task.Run(() => GoOnAsync("keys", () => Keys.RunAsync(_stopping.Token))));
    }

    // A loop that dies silently would be a gateway that looks alive: what it did not expect is told, and it starts again.
    private async Task GoOnAsync(string part, Func<Task> loop)
    {
        while (!_stopping.IsCancellationRequested)
        {
            try
            {
                await loop();
                return;
            }
            catch (OperationCanceledException) when (_stopping.IsCancellationRequested)
            {
                return;
            }
            catch (Exception e)
            {
                Live.AddEvent("error", part, $"{e.GetType().Name}: {e.Message.ReplaceLineEndings(" ")}; it goes on");
                await Task.Delay(TimeSpan.FromSeconds(1));
            }
        }
    }

    private void AddServices(IServiceCollection services, CommandRunner runner, GatewayOperations operations)
    {
        services.AddSingleton(_parts.Settings).AddSingleton(_parts.Time).AddSingleton(Store).AddSingleton(Registry).AddSingleton(Mesh);
        services.AddSingleton(new DiagnosticService(Mesh)).AddSingleton(Audit);
        services.AddSingleton(Commands).AddSingleton(runner).AddSingleton(operations).AddSingleton(Publisher).AddSingleton(Keys);
        services.AddSingleton<IMqttClient>(_client!).AddSingleton<Metrics>().AddSingleton<INodeCommands, NodeCommands>();
    }

    private MeshNode CreateNode()
    {
        var crypto = new PlatformCrypto();
        GatewaySettings settings = _parts.Settings;
        var config = new MeshConfig
        {
            Address = settings.Address,
            IsGateway = true,
            MaxNeighbors = 64,
            MaxRoutes = 1024,
            MaxPeers = 1024,
            MaxQueued = 256,
            MaxPending = 64,
            MaxDuplicates = 1024,
            MaxOutputs = 512,
            MaxTransfers = 16,
            JoinIntervalMs = 10,
            JoinBurst = 64,
            EpochOverlapMs = 1_000 * settings.Keys.OverlapSeconds,
        };
        config.MaxFrameLength = Math.Min(config.MaxFrameLength, _parts.Link.MaxFrameLength);
        var keys = new MeshKeys
        {
            NetworkId = SiteKeys.CreateNetworkId(crypto, _parts.SiteSecret),
            PairwiseShare = _parts.PairwiseShare ?? PairwiseKeys.CreateShare(crypto, _parts.SiteSecret, settings.Address),
            Devices = Registry,
        };
        keys.Restore(_parts.MeshStorage.Load(StoreRecord.Keys));
        Keys.Restore(keys);
        uint seed = BinaryPrimitives.ReadUInt32LittleEndian(RandomNumberGenerator.GetBytes(4));
        return new MeshNode(config, keys, crypto, seed, _parts.MeshStorage.Load(StoreRecord.Counters));
    }

    private async Task StartBrokerAsync(MqttSettings mqtt)
    {
        if (mqtt.Broker is not null)
        {
            return;
        }

        IPAddress address = HttpHost.AddressesOf(mqtt.Listen.Host, mqtt.Listen.Port)[0];
        var logins = new BrokerLogins(mqtt.Users);
        _broker = new MqttBroker(new MqttBrokerOptions
        {
            Address = address,
            Port = mqtt.Listen.Port,
            Authenticate = mqtt.Users.Count == 0 ? null : logins.Check,
            Tls = MqttTls.ForBroker(mqtt, Live),
            AdmitCertificate = name => mqtt.Users.Any(u => u.User == name),
        });
        _gatewayPassword = logins.GatewayPassword;
        try
        {
            await _broker.StartAsync();
        }
        catch (MqttException e)
        {
            _broker = null;
            throw MqttTls.Explain(mqtt, e);
        }
    }

    private string _gatewayPassword = "";

    private MqttClientOptions ClientOptions(GatewaySettings settings)
    {
        MqttSettings mqtt = settings.Mqtt;
        bool isOwn = mqtt.Broker is null;
        bool needsLogin = isOwn && mqtt.Users.Count > 0;
        string host = mqtt.Listen.Host is "0.0.0.0" or "::" ? "127.0.0.1" : mqtt.Listen.Host;
        return new MqttClientOptions
        {
            Host = isOwn ? host : mqtt.Broker!.Host,
            Port = isOwn ? MqttPort : mqtt.Broker!.Port,
            UseTls = mqtt.Tls,
            Tls = MqttTls.ForClient(mqtt),
            Protocol = mqtt.Protocol == 3 ? MqttProtocol.V311 : MqttProtocol.V5,
            ClientId = $"iotmesh-{settings.Site}-{settings.Gateway}",
            UserName = needsLogin ? BrokerLogins.GatewayUser : mqtt.User,
            Password = needsLogin ? _gatewayPassword : mqtt.Password,

            // The session outlives a lost connection, so that an acknowledgement that was under way is not asked for by a second copy.
            CleanStart = false,
            SessionExpirySeconds = 3600,
            Will = MqttBridge.CreateWill(settings),
        };
    }

    private async Task HandleMessagesAsync()
    {
        await foreach (Delivery message in Mesh.Messages.ReadAllAsync())
        {
            Live.Heard(message.Origin, message.Hops, message.RssiDbm, message.ArrivedMs);
            switch (message.Port)
            {
                case MeshPort.LinkReport:
                    Live.ApplyLinkReport(message);
                    break;
                case MeshPort.CommandResponse:
                    Commands.HandleResponse(message);
                    break;
                case MeshPort.NodeInfo:
                    await UpdateDeviceAsync(message);
                    break;
                default:
                    break;
            }
        }
    }

    private async Task UpdateDeviceAsync(Delivery message)
    {
        var info = new NodeInfo();
        if (NodeInfoCodec.Decode(message.Payload, 0, message.Payload.Length, info) != ParseError.None
            || Registry.Find(message.Origin) is not { } device)
        {
            return;
        }

        var keys = Enumerable.Range(0, info.KeyCount)
            .Select(i => new DeviceKey(info.Keys[i], info.KeyTypes[i].ToString().ToLowerInvariant(), info.KeyWritable[i])).ToList();
        bool isSame = device.Model == info.Model && device.Version == info.Version && device.Keys.SequenceEqual(keys);
        if (isSame)
        {
            return;
        }

        try
        {
            await Store.SaveDeviceAsync(device with { Model = info.Model, Version = info.Version, Keys = keys }, _stopping.Token);
            Keys.Refresh(always: true);
        }
        catch (Exception e) when (e is StorageException or OperationCanceledException)
        {
            Live.AddEvent("warning", device.Id, "what it tells about itself could not be stored; it will tell again");
        }
    }

    private async Task WatchAsync()
    {
        string broker = _parts.Settings.Mqtt.Broker?.ToString() ?? $"own, port {MqttPort}";
        using var timer = new PeriodicTimer(TimeSpan.FromSeconds(1));
        try
        {
            while (await timer.WaitForNextTickAsync(_stopping.Token))
            {
                Keys.Refresh();
                OutboxState state = Store.ReadOutboxState();
                double oldest = state.Depth == 0 ? 0 : Math.Max(0, (_parts.Time.GetUtcNow().ToUnixTimeMilliseconds() - state.OldestMs) / 1000.0);
                Live.Apply(new OutboxView(_client!.IsConnected, broker, state.Depth, Math.Round(oldest), Publisher.Published));
            }
        }
        catch (OperationCanceledException)
        {
            // The gateway stops.
        }
    }

    private static async Task WaitAsync(Task task)
    {
        try
        {
            await task.WaitAsync(_stopTimeout);
        }
        catch (Exception e) when (e is TimeoutException or OperationCanceledException or MqttException)
        {
            // It had its time; the process ends.
        }
    }
}
