using System.CommandLine;
using IoTMesh.Simulation;

namespace IoTMesh.Gateway.CommandLine;

/// <summary><c>iotmesh sim soak</c>: a long run with churn that must lose nothing and keep memory flat.</summary>
internal static class SoakCommand
{
    internal static Command Create()
    {
        SoakOptions defaults = new();
        var hours = new Option<int>("--hours") { Description = "Virtual hours.", HelpName = "N", DefaultValueFactory = _ => defaults.Hours };
        var nodes = new Option<int>("--nodes")
        {
            Description = "Nodes, two gateways among them.",
            HelpName = "N",
            DefaultValueFactory = _ => defaults.Nodes,
        };
        var seed = new Option<ulong>("--seed") { Description = "The seed.", HelpName = "N", DefaultValueFactory = _ => defaults.Seed };
        var json = new Option<bool>("--json") { Description = "The result as JSON." };
        var command = new Command("soak", "Runs a mesh for a day under faults without end: nothing may be lost, and memory must stay flat.")
        {
            hours, nodes, seed, json,
        };
        HelpWithExamples.Add(command, """
            A reading a minute from each node, kept until a gateway has committed it, while nodes and gateways restart, links break and the
            mesh parts and merges. A line for each virtual hour: the fullest tables of all nodes, the managed heap after a full collection,
            the process. Ends with 1 where a reading was lost, a check failed, or the heap grew by more than 512 kB after the second hour.
            """, "iotmesh sim soak", "iotmesh sim soak --hours 2 --nodes 20 --json");
        command.SetAction(parse => Run(
            new SoakOptions(Nodes: parse.GetValue(nodes), Hours: parse.GetValue(hours), Seed: parse.GetValue(seed)), parse.GetValue(json)));
        return command;
    }

    private static int Run(SoakOptions options, bool isJson)
    {
        SoakRun.Check(options);
        if (!isJson)
        {
            Console.WriteLine(SoakResult.Heading);
        }

        SoakResult result = SoakRun.Run(options, isJson ? null : hour => Console.WriteLine(SoakResult.LineOf(hour)));
        Console.WriteLine(isJson ? result.ToJson() : result.ToText());
        return result.IsGood ? ExitCode.Success : ExitCode.Failed;
    }
}
