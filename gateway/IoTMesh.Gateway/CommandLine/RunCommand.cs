using System.CommandLine;
using IoTMesh.Driver;
using IoTMesh.Gateway.Http;
using IoTMesh.Gateway.Live;
using IoTMesh.Gateway.Service;
using IoTMesh.Gateway.Settings;
using IoTMesh.Gateway.Site;
using IoTMesh.Simulation;

namespace IoTMesh.Gateway.CommandLine;

/// <summary><c>iotmesh run</c>: the gateway as a service.</summary>
internal static class RunCommand
{
    internal static Command Create()
    {
        var settings = new Option<string?>("--settings", "-s") { Description = "Settings file (JSON with comments).", HelpName = "FILE" };
        var data = new Option<string?>("--data") { Description = "Data folder, over that of the settings.", HelpName = "DIR" };
        var check = new Option<bool>("--check") { Description = "Only read the settings, say whether they are good, and end." };
        Option<string?> pcap = CaptureOption.Create("the link frames that the gateway sends and hears");
        var command = new Command("run", "Runs the gateway as a service: mesh, MQTT, storage, REST and pages.") { settings, data, check, pcap };
        HelpWithExamples.Add(command, """
            Works without settings, on this machine only: data in $IOTMESH_DATA or ~/.local/share/iotmesh, the radio is the UDP air at
            127.0.0.1:17700, the broker its own at 127.0.0.1:1883, pages at http://127.0.0.1:8080/. docs/operations.md lists the settings.
            """, "iotmesh run", "iotmesh run --settings /etc/iotmesh/settings.json", "iotmesh run --settings mine.json --check");
        command.SetAction(parse => RunAsync(
            parse.GetValue(settings), parse.GetValue(data), parse.GetValue(check), parse.GetValue(pcap)));
        return command;
    }

    private static async Task<int> RunAsync(string? file, string? data, bool isCheck, string? pcap)
    {
        GatewaySettings settings = file is null ? new GatewaySettings() : SettingsFile.Read(file);
        settings = settings with { Data = data ?? settings.Data ?? GatewaySettings.DefaultDataFolder() };
        if (isCheck)
        {
            HttpHost.CheckReach(settings.Http, new TokenFile(settings.Data));
            Console.WriteLine($"{file ?? "the defaults"}: good; site {settings.Site}, gateway {settings.Gateway}, data in {settings.Data}");
            return ExitCode.Success;
        }

        SiteFolder site = SiteFolder.Open(settings.Data, keyFile: settings.Keys.File);
        using IDisposable folderLock = site.Lock();
        var storage = new FileStorage(site.MeshRecords);
        storage.Load(Core.StoreRecord.Counters);
        if (storage.IsDamaged)
        {
            throw new CommandFailure(
                $"{site.MeshRecords}: the gateway's counters are damaged; restore the folder from a backup (to reuse counters would break keys)",
                ExitCode.Failed);
        }

        IWakeableLink link = new UdpAirLink(settings.Address, settings.Air.Host, settings.Air.Port, new SystemClock());
        LiveCapture? capture = CaptureOption.Open(pcap, settings.Gateway, $"iotmesh run, gateway {settings.Gateway} of site {settings.Site}");
        using var stopping = new Stopping();
        var parts = new GatewayParts
        {
            Settings = settings,
            SiteSecret = site.Secret,
            Box = site.Box,
            PairwiseShare = site.GatewayShare(settings.Address),
            Database = site.Database,
            Link = capture is null ? link : new CapturedLink(link, settings.Address, capture),
            MeshStorage = new SealedStorage(storage, site.Box),
            Folder = site.FullPath,
        };
        await using (GatewayService gateway = await GatewayService.StartAsync(parts))
        {
            Announce(settings, site, gateway);
            gateway.Live.EventAdded += Print;
            await stopping.WaitAsync();
            Console.WriteLine("stopping");
        }

        CaptureOption.Close(capture, pcap);
        return ExitCode.Success;
    }

    private static void Announce(GatewaySettings settings, SiteFolder site, GatewayService gateway)
    {
        Console.WriteLine($"iotmesh {GatewayVersion.Text}: gateway {settings.Gateway} of site {settings.Site}, data in {site.FullPath}");
        if (site.IsNew)
        {
            Console.WriteLine("made new site secrets; back them up with their key, all keys of the site depend on them (docs/operations.md)");
        }

        if (!site.CanEnroll)
        {
            Console.WriteLine($"{SiteFolder.OwnerSecretName} is kept elsewhere: what nodes tell each other is closed to it; enroll takes --owner");
        }

        Console.WriteLine($"radio: UDP air at {settings.Air}; {gateway.Registry.Devices.Count} devices enrolled (iotmesh enroll adds some)");
        Console.WriteLine(
            settings.Mqtt.Broker is { } broker ? $"MQTT: {broker}" : $"MQTT: own broker at {settings.Mqtt.Listen.Host}:{gateway.MqttPort}");
        if (settings.Mqtt.TlsListen is { } tls)
        {
            Console.WriteLine($"MQTT over TLS: {tls.Host}:{gateway.MqttTlsPort}");
        }

        Console.WriteLine($"pages: {gateway.Address}");
    }

    private static void Print(EventView entry)
    {
        Console.WriteLine($"{entry.At.ToLocalTime():HH:mm:ss} {entry.Level,-7} {entry.Source}: {entry.Text}");
    }
}
