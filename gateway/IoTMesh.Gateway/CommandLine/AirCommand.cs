using System.CommandLine;
using IoTMesh.Gateway.Http;
using IoTMesh.Simulation;

namespace IoTMesh.Gateway.CommandLine;

/// <summary><c>iotmesh air</c>: a radio that processes share.</summary>
internal static class AirCommand
{
    internal static Command Create()
    {
        var topology = new Option<string>("--topology", "-t")
        {
            Description = $"{Topology.KindWords.Replace(", trace", "", StringComparison.Ordinal)}, or a topology file (docs/protocol.md 11).",
            HelpName = "KIND|FILE",
            DefaultValueFactory = _ => "grid4",
        };
        var nodes = new Option<int>("--nodes", "-n") { Description = "Nodes, the gateway included.", HelpName = "N", DefaultValueFactory = _ => 13 };
        var port = new Option<int>("--port", "-p")
        {
            Description = "UDP port; 0 for a free one.",
            HelpName = "P",
            DefaultValueFactory = _ => AirOptions.DefaultPort,
        };
        var loss = new Option<double>("--loss") { Description = "Share of the frames that each link loses, 0 to 1.", HelpName = "L" };
        var seed = new Option<ulong>("--seed") { Description = "Of the losses.", HelpName = "N", DefaultValueFactory = _ => 1 };
        Option<string?> pcap = CaptureOption.Create("every link frame");
        var command = new Command("air", "Runs a simulated radio on UDP that processes on this machine share.")
        {
            topology, nodes, port, loss, seed, pcap,
        };
        HelpWithExamples.Add(command, """
            While it runs, lines on its standard input change it:
              kill 3, start 3, cut 2 3, heal 2 3, loss 0.2, partition 1,2 3,4, merge, move 3 1.5 0, status (docs/protocol.md 11)
            """, "iotmesh air --topology line --nodes 7", "iotmesh air --topology house.json --loss 0.1");
        command.SetAction(async parse => await RunAsync(
            parse.GetRequiredValue(topology),
            parse.GetValue(nodes),
            parse.GetValue(port),
            parse.GetValue(loss),
            parse.GetValue(seed),
            parse.GetValue(pcap)));
        return command;
    }

    internal static Topology CreateTopology(string word, int nodes, double loss, ulong seed)
    {
        if (Topology.TryParseKind(word, out TopologyKind kind) && kind != TopologyKind.Trace)
        {
            return Topology.Create(kind, nodes, loss, seed: seed);
        }

        if (!File.Exists(word))
        {
            string kinds = Topology.KindWords.Replace(", trace", "", StringComparison.Ordinal);
            throw new CommandFailure($"--topology: no file {word}, and none of {kinds}", ExitCode.Usage);
        }

        return TopologyFile.Load(word, seed);
    }

    private static async Task<int> RunAsync(string word, int nodes, int port, double loss, ulong seed, string? pcap)
    {
        if (port is < 0 or > 65535)
        {
            throw new CommandFailure($"--port: 0 to 65535, is {port}", ExitCode.Usage);
        }

        Topology topology = CreateTopology(word, nodes, loss, seed);
        using var stopping = new Stopping();
        LiveCapture? capture = CaptureOption.Open(pcap, "air", $"iotmesh air, {word}");
        using AirServer air = Open(new AirOptions
        {
            Topology = topology,
            Port = port,
            Seed = seed,
            LossOverride = File.Exists(word) && loss > 0 ? loss : null,
            Watch = capture,
        });
        Console.WriteLine(
            $"air: {word}, {topology.NodeCount} nodes, {topology.LinkCount} links, UDP 127.0.0.1:{air.Port}; lines here change it (protocol.md 11)");
        _ = Task.Run(() => ReadControl(air, stopping.Token));
        await Task.Run(() => air.Run(stopping.Token));
        CaptureOption.Close(capture, pcap);
        return ExitCode.Success;
    }

    private static AirServer Open(AirOptions options)
    {
        try
        {
            return new AirServer(options);
        }
        catch (Exception e) when (e is System.Net.Sockets.SocketException or InputException)
        {
            throw new PortTakenException($"UDP port {options.Port} cannot be used ({e.Message}); choose another with --port");
        }
    }

    private static void ReadControl(AirServer air, CancellationToken stop)
    {
        while (!stop.IsCancellationRequested && Console.In.ReadLine() is { } line)
        {
            if (line.Trim().Length > 0)
            {
                Console.WriteLine(air.Control(line));
            }
        }
    }
}
