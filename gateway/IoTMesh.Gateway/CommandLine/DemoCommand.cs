using System.CommandLine;
using System.Diagnostics;
using System.Security.Cryptography;
using IoTMesh.Core;
using IoTMesh.Driver;
using IoTMesh.Gateway.Demo;
using IoTMesh.Gateway.Http;
using IoTMesh.Gateway.Live;
using IoTMesh.Gateway.Service;
using IoTMesh.Gateway.Settings;
using IoTMesh.Simulation;

namespace IoTMesh.Gateway.CommandLine;

/// <summary><c>iotmesh demo</c>: a whole site in one process.</summary>
internal static class DemoCommand
{
    private const int PeriodSeconds = 2;
    private const int NodesMax = 200;

    private sealed record Options(int Nodes, string Topology, double Loss, int KillEvery, int HttpPort, int MqttPort, int? Duration, ulong Seed,
        string? Pcap);

    internal static Command Create()
    {
        var nodes = new Option<int>("--nodes", "-n")
        {
            Description = "Virtual nodes besides the gateway.",
            HelpName = "N",
            DefaultValueFactory = _ => 12,
        };
        var topology = new Option<string>("--topology", "-t")
        {
            Description = "line, ring, star, grid4, grid8, tree3, random, or a topology file.",
            HelpName = "KIND|FILE",
            DefaultValueFactory = _ => "grid4",
        };
        var loss = new Option<double>("--loss")
        {
            Description = "Share of the frames that each link loses, 0 to 1.",
            HelpName = "L",
            DefaultValueFactory = _ => 0.05,
        };
        var kill = new Option<int>("--kill-every")
        {
            Description = "A node is killed every so many seconds and started again half-way to the next; 0 for never.",
            HelpName = "S",
            DefaultValueFactory = _ => 30,
        };
        var http = new Option<int>("--http-port")
        {
            Description = "Pages and REST; 0 for a free port.",
            HelpName = "P",
            DefaultValueFactory = _ => 8080,
        };
        var mqtt = new Option<int>("--mqtt-port")
        {
            Description = "Embedded MQTT broker; 0 for a free port.",
            HelpName = "P",
            DefaultValueFactory = _ => 1883,
        };
        var duration = new Option<int?>("--duration") { Description = "Ends after so many seconds; until Ctrl-C where not given.", HelpName = "S" };
        var seed = new Option<ulong>("--seed") { Description = "Of the losses and the kills.", HelpName = "N", DefaultValueFactory = _ => 1 };
        Option<string?> pcap = CaptureOption.Create("every link frame");
        var command = new Command("demo", "Shows a self-healing mesh on this machine, in real time.")
        {
            nodes, topology, loss, kill, http, mqtt, duration, seed, pcap,
        };
        HelpWithExamples.Add(command, """
            Virtual ESP32 nodes that run the firmware's sources, a gateway, an MQTT broker, storage in a temporary folder and the web page.
            Nothing is left behind.
            """, "iotmesh demo", "iotmesh demo --kill-every 10", "iotmesh demo --nodes 30 --topology random --loss 0.2",
            "iotmesh demo --http-port 0 --mqtt-port 0 --duration 60");
        command.SetAction(parse => RunAsync(new Options(
            parse.GetValue(nodes), parse.GetRequiredValue(topology), parse.GetValue(loss), parse.GetValue(kill), parse.GetValue(http),
            parse.GetValue(mqtt), parse.GetValue(duration), parse.GetValue(seed), parse.GetValue(pcap))));
        return command;
    }

    private static async Task<int> RunAsync(Options options)
    {
        Check(options);
        Topology topology = AirCommand.CreateTopology(options.Topology, options.Nodes + 1, options.Loss, options.Seed);
        byte[] secret = RandomNumberGenerator.GetBytes(32);
        DirectoryInfo folder = Directory.CreateTempSubdirectory("iotmesh-demo-");
        try
        {
            using var stopping = new Stopping();
            LiveCapture? capture = CaptureOption.Open(options.Pcap, "demo", $"iotmesh demo, {options.Topology}");
            using (var site = new VirtualSite(topology, secret, PeriodSeconds, options.Seed, capture))
            {
                await RunAsync(options, site, secret, folder.FullName, stopping);
            }

            CaptureOption.Close(capture, options.Pcap);
        }
        finally
        {
            folder.Delete(recursive: true);
        }

        return ExitCode.Success;
    }

    private static async Task RunAsync(Options options, VirtualSite site, byte[] secret, string folder, Stopping stopping)
    {
        string database = Path.Combine(folder, "gateway.db");
        using (var store = new Storage.GatewayStore(database, _ => null, TimeProvider.System))
        {
            store.Start();
            await Task.WhenAll(site.Devices.Select(d => store.SaveDeviceAsync(d)));
        }

        var settings = new GatewaySettings
        {
            Site = "demo",
            Http = new HttpSettings { Listen = new Settings.Endpoint("127.0.0.1", options.HttpPort) },
            Mqtt = new MqttSettings { Listen = new Settings.Endpoint("127.0.0.1", options.MqttPort) },
        };
        await using GatewayService gateway = await StartAsync(new GatewayParts
        {
            Settings = settings,
            SiteSecret = secret,
            Database = database,
            Link = site.ConnectGateway(),
            MeshStorage = new MemoryStorage(),
        });
        await using var watch = new DemoWatch(settings.Site, site.Devices, TimeProvider.System);
        await watch.StartAsync(gateway.MqttPort);
        Announce(options, gateway, site);
        site.StartAll();
        int kills = await PlayAsync(options, site, gateway, watch, stopping);
        Summarize(options, site, gateway, watch, kills);
    }

    private static void Check(Options o)
    {
        Require(o.Nodes is >= 1 and <= NodesMax, $"--nodes: 1 to {NodesMax}, is {o.Nodes}");
        Require(o.Loss is >= 0 and <= 1, $"--loss: 0 to 1, is {o.Loss}");
        Require(o.KillEvery is 0 or (>= 2 and <= 86_400), $"--kill-every: 0, or 2 to 86400 seconds, is {o.KillEvery}");
        Require(o.HttpPort is >= 0 and <= 65535, $"--http-port: 0 to 65535, is {o.HttpPort}");
        Require(o.MqttPort is >= 0 and <= 65535, $"--mqtt-port: 0 to 65535, is {o.MqttPort}");
        Require(o.Duration is null or (>= 1 and <= 31_536_000), $"--duration: at least 1 second, is {o.Duration}");
    }

    private static void Require(bool condition, string message)
    {
        if (!condition)
        {
            throw new CommandFailure(message, ExitCode.Usage);
        }
    }

    private static async Task<GatewayService> StartAsync(GatewayParts parts)
    {
        try
        {
            return await GatewayService.StartAsync(parts);
        }
        catch (PortTakenException e)
        {
            string option = e.Message.Contains("MQTT", StringComparison.Ordinal) ? "--mqtt-port" : "--http-port";
            throw new PortTakenException($"{e.Message}; choose another with {option} (0 for any free one)");
        }
    }

    private static void Announce(Options options, GatewayService gateway, VirtualSite site)
    {
        string far = site.Devices[^1].Id;
        string port = gateway.MqttPort == 1883 ? "" : $" -p {gateway.MqttPort}";
        Console.WriteLine(
            $"iotmesh {GatewayVersion.Text} demo: {options.Nodes} nodes and a gateway, {options.Topology}, {options.Loss:P0} loss, Ctrl-C ends it");
        Console.WriteLine($"  look:     {gateway.Address}");
        Console.WriteLine($"  listen:   mosquitto_sub{port} -t 'iotmesh/#' -v");
        Console.WriteLine($"  command:  mosquitto_pub{port} -t iotmesh/v1/demo/node/{far}/set -m '{{\"id\":\"a1\",\"led\":true}}'");
        Console.WriteLine($"            (its answer, with the same id, comes on iotmesh/v1/demo/node/{far}/event)");
        Console.WriteLine($"  REST:     {gateway.Address}api    metrics: {gateway.Address}metrics");
    }

    private static async Task<int> PlayAsync(Options options, VirtualSite site, GatewayService gateway, DemoWatch watch, Stopping stopping)
    {
        var random = new Random((int)options.Seed);
        var clock = Stopwatch.StartNew();
        int kills = 0;
        int shown = -1;
        ushort dead = MeshAddress.None;
        double nextKill = options.KillEvery == 0 ? double.MaxValue : options.KillEvery;
        double nextStart = double.MaxValue;
        double end = options.Duration ?? double.MaxValue;
        while (!stopping.Token.IsCancellationRequested && clock.Elapsed.TotalSeconds < end)
        {
            await stopping.WaitAsync(TimeSpan.FromMilliseconds(250));
            double now = clock.Elapsed.TotalSeconds;
            if (watch.Reporting != shown)
            {
                shown = watch.Reporting;
                Console.WriteLine($"{now,6:0.0} s  {shown} of {options.Nodes} nodes reporting");
            }

            if (now >= nextStart)
            {
                site.Start(dead);
                watch.NoteStarted(dead);
                gateway.Live.AddEvent("info", "demo", $"{Id(gateway, dead)} started again");
                Console.WriteLine($"{now,6:0.0} s  {Id(gateway, dead)} started again");
                nextStart = double.MaxValue;
            }

            if (now >= nextKill)
            {
                nextKill += options.KillEvery;
                dead = site.ChooseVictim(random, a => gateway.Live.Current.Nodes.Any(n => n.Parent == a));
                if (dead != MeshAddress.None)
                {
                    kills++;
                    nextStart = now + (options.KillEvery / 2.0);
                    watch.NoteKilled(dead);
                    site.Kill(dead);
                    gateway.Live.AddEvent("warning", "demo", $"{Id(gateway, dead)} killed");
                    Console.WriteLine($"{now,6:0.0} s  {Id(gateway, dead)} killed");
                }
            }
        }

        return kills;
    }

    private static string Id(GatewayService gateway, ushort address)
    {
        return gateway.Registry.Find(address) is { } device ? $"{device.Id} ({device.Name})" : $"address {address}";
    }

    private static void Summarize(Options options, VirtualSite site, GatewayService gateway, DemoWatch watch, int kills)
    {
        watch.Close();
        (double gap, string node) = watch.LongestGap;
        node = node.Length > 0 ? $" ({node})" : "";
        Console.WriteLine(
            $"summary: {watch.Reporting} of {options.Nodes} nodes reported; {watch.Readings} readings on MQTT, {watch.Twice} of them twice");
        Console.WriteLine(
            $"         {gateway.Store.Duplicates} copies dropped by storage, {gateway.Mesh.Snapshot.Duplicates} by the mesh; {kills} kills");
        Console.WriteLine(
            $"         longest pause of a living node: {gap:0.0} s{node}, a reading every {PeriodSeconds} s is meant");
        int faults = site.CountFaults() + gateway.Mesh.Faults;
        if (faults > 0)
        {
            Console.WriteLine($"         {faults} defects survived, the gateway's last: {gateway.Mesh.LastFault?.Message ?? "none"}");
        }
    }
}
