using System.CommandLine;
using IoTMesh.Simulation;

namespace IoTMesh.Gateway.CommandLine;

/// <summary><c>iotmesh sim</c>: runs in virtual time.</summary>
internal static class SimCommand
{
    private const int SeedsMax = 10_000;

    internal static Command Create()
    {
        var scenario = new Argument<string?>("SCENARIO")
        {
            Description = "A built-in scenario (--list) or a scenario file.",
            Arity = ArgumentArity.ZeroOrOne,
        };
        var seed = new Option<ulong?>("--seed") { Description = "The seed, over the scenario's own.", HelpName = "N" };
        var seeds = new Option<int?>("--seeds") { Description = "Runs with so many seeds, from --seed (or 1) on.", HelpName = "N" };
        var json = new Option<bool>("--json") { Description = "The result as JSON." };
        var list = new Option<bool>("--list") { Description = "Lists the built-in scenarios." };
        var command = new Command(
            "sim", "Runs a scenario in virtual time, checks it all the while and measures.") { scenario, seed, seeds, json, list };
        HelpWithExamples.Add(command, """
            The same seed gives the same run, bit by bit: the trace hash says so. Ends with 1 where a check failed.
            """, "iotmesh sim --list", "iotmesh sim grid4-16-loss20 --seed 7", "iotmesh sim mine.json --seeds 200 --json");
        command.SetAction(parse => Run(
            parse.GetValue(scenario), parse.GetValue(seed), parse.GetValue(seeds), parse.GetValue(json), parse.GetValue(list)));
        return command;
    }

    private static int Run(string? name, ulong? seed, int? seeds, bool isJson, bool isList)
    {
        if (isList)
        {
            foreach (string builtIn in Scenario.BuiltIn)
            {
                Console.WriteLine(builtIn);
            }

            return ExitCode.Success;
        }

        if (name is null)
        {
            throw new CommandFailure("name a scenario or a scenario file; iotmesh sim --list shows the built-in ones", ExitCode.Usage);
        }

        if (seeds is < 1 or > SeedsMax)
        {
            throw new CommandFailure($"--seeds: 1 to {SeedsMax}, is {seeds}", ExitCode.Usage);
        }

        Scenario scenario = Scenario.Load(name);
        if (seeds is { } count)
        {
            SimulationResults results = SimulationRun.RunMany(scenario, seed ?? 1, count);
            Console.WriteLine(isJson ? results.ToJson() : results.ToText());
            return results.IsGood ? ExitCode.Success : ExitCode.Failed;
        }

        SimulationResult result = SimulationRun.Run(scenario, seed);
        Console.WriteLine(isJson ? result.ToJson() : result.ToText());
        return result.IsGood ? ExitCode.Success : ExitCode.Failed;
    }
}
