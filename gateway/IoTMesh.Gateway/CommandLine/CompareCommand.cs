using System.CommandLine;
using System.Text;
using IoTMesh.Simulation;

namespace IoTMesh.Gateway.CommandLine;

/// <summary><c>iotmesh sim compare</c>: mesh, ring, star and client-server under the same traffic and faults.</summary>
internal static class CompareCommand
{
    internal static Command Create()
    {
        CompareOptions defaults = new();
        var nodes = new Option<int>("--nodes") { Description = "Nodes of each layout.", HelpName = "N", DefaultValueFactory = _ => defaults.Nodes };
        var loss = new Option<double>("--loss")
        {
            Description = "Chance to lose a frame, of each link.",
            HelpName = "RATIO",
            DefaultValueFactory = _ => defaults.Loss,
        };
        var seed = new Option<ulong>("--seed") { Description = "The first seed.", HelpName = "N", DefaultValueFactory = _ => defaults.Seed };
        var seeds = new Option<int>("--seeds") { Description = "Runs of each layout.", HelpName = "N", DefaultValueFactory = _ => defaults.Seeds };
        var json = new Option<bool>("--json") { Description = "The result as JSON." };
        var chart = new Option<string?>("--chart") { Description = "Draws the result as bars.", HelpName = "OUT.svg" };
        var command = new Command("compare", "Runs the same traffic under the same faults on mesh, ring, star and client-server, side by side.")
        {
            nodes, loss, seed, seeds, json, chart,
        };
        HelpWithExamples.Add(command, """
            Grid and random layout (mesh), ring, star, and client-server: a star whose nodes reach each other only through the server's
            application. A relay, a link, the gateway's service, the gateway and a node fail one after the other, each for a minute.
            Delivery by fault, latency, bytes and energy. Ends with 1 where a check failed. docs/simulator.md.
            """, "iotmesh sim compare", "iotmesh sim compare --nodes 36 --loss 0.2 --seeds 20 --chart compare.svg");
        command.SetAction(parse => Run(
            new CompareOptions(parse.GetValue(nodes), parse.GetValue(loss), parse.GetValue(seed), parse.GetValue(seeds)),
            parse.GetValue(json),
            parse.GetValue(chart)));
        return command;
    }

    private static int Run(CompareOptions options, bool isJson, string? chart)
    {
        // Before an earlier picture is written over.
        options.Check();
        using FileStream? picture = chart is null ? null : OutputFile.Create("--chart", chart);
        CompareResult result = CompareRun.Run(options, (done, all) => TellProgress(done, all));
        picture?.Write(Encoding.UTF8.GetBytes(result.ToSvg()));
        Console.Write(isJson ? result.ToJson() + "\n" : result.ToText());
        return result.IsGood ? ExitCode.Success : ExitCode.Failed;
    }

    private static void TellProgress(int done, int all)
    {
        if (done % 25 == 0)
        {
            Console.Error.WriteLine($"{done} of {all} runs");
        }
    }
}
