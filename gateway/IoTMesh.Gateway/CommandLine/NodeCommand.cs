using System.CommandLine;
using IoTMesh.Gateway.Settings;
using IoTMesh.Gateway.Site;
using IoTMesh.Node;

namespace IoTMesh.Gateway.CommandLine;

/// <summary><c>iotmesh node</c>: the firmware as a process on this machine.</summary>
internal static class NodeCommand
{
    internal static Command Create()
    {
        var address = new Option<int?>("--address", "-a") { Description = "Mesh address; with --site.", HelpName = "N" };
        var site = new Option<string?>("--site")
        {
            Description = "A gateway's data folder on this machine: enrolls the address there and makes its keys (for trying things out).",
            HelpName = "DIR",
        };
        var settings = new Option<string?>("--settings", "-s") { Description = "Settings file that iotmesh enroll wrote.", HelpName = "FILE" };
        var data = new Option<string?>("--data") { Description = "Folder of the node's counters. One node, one folder, for ever.", HelpName = "DIR" };
        var air = new Option<string?>("--air") { Description = "The UDP air, host:port.", HelpName = "HOST:PORT" };
        var period = new Option<int?>("--period") { Description = "Seconds between readings, 1 to 3600.", HelpName = "S" };
        var verbose = new Option<bool>("--verbose", "-v") { Description = "A line for each reading too." };
        var command = new Command(
            "node", "Runs one mesh node as a process: the ESP32 firmware on this machine.") { address, site, settings, data, air, period, verbose };
        HelpWithExamples.Add(command, """
            The node reads this machine's own sensors beside modelled weather. Its counters must survive: one node, one folder, for ever.
            """, "iotmesh node --settings node-7.conf", "iotmesh node --address 7 --site ~/.local/share/iotmesh --period 2");
        command.SetAction(async parse =>
        {
            NodeHostOptions options = await CreateOptionsAsync(parse.GetValue(address), parse.GetValue(site), parse.GetValue(settings));
            Settings.Endpoint? endpoint = ParseAir(parse.GetValue(air));
            int? seconds = parse.GetValue(period);
            if (seconds is < 1 or > NodeSettings.PeriodMaxSeconds)
            {
                throw new CommandFailure($"--period: 1 to {NodeSettings.PeriodMaxSeconds} seconds, is {seconds}", ExitCode.Usage);
            }

            using var stopping = new Stopping();
            return NodeHost.Run(
                options with
                {
                    StorageFolder = parse.GetValue(data) ?? options.StorageFolder,
                    AirHost = endpoint?.Host,
                    AirPort = endpoint?.Port,
                    PeriodSeconds = seconds,
                    IsVerbose = parse.GetValue(verbose),
                },
                stopping.Token);
        });
        return command;
    }

    private static async Task<NodeHostOptions> CreateOptionsAsync(int? address, string? folder, string? settings)
    {
        if ((settings is null) == (folder is null))
        {
            throw new CommandFailure("give --settings FILE, or --address N with --site DIR", ExitCode.Usage);
        }

        if (settings is not null)
        {
            return address is null
                ? new NodeHostOptions { SettingsPath = settings }
                : throw new CommandFailure("--address goes with --site; the settings file has its own", ExitCode.Usage);
        }

        if (address is null)
        {
            throw new CommandFailure("--site needs --address N", ExitCode.Usage);
        }

        ushort own = Enrolment.ParseAddresses(address.Value.ToString(System.Globalization.CultureInfo.InvariantCulture))[0];
        SiteFolder site = SiteFolder.Open(folder!, create: false);
        IReadOnlyList<Enrolled> enrolled = await Enrolment.EnrollAsync(site, [own], null, TimeSpan.FromHours(24));
        return new NodeHostOptions
        {
            Settings = Enrolment.CreateSettings(site, enrolled[0]),
            StorageFolder = Path.Combine(site.FullPath, "nodes", $"node-{own}"),
        };
    }

    private static Settings.Endpoint? ParseAir(string? text)
    {
        return text is null ? null
            : Settings.Endpoint.Parse(text, NodeSettings.DefaultAirPort)
                ?? throw new CommandFailure($"--air: must be host:port, is {text}", ExitCode.Usage);
    }
}
