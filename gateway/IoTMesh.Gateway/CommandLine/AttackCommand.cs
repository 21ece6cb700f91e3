using System.CommandLine;
using IoTMesh.Simulation;

namespace IoTMesh.Gateway.CommandLine;

/// <summary><c>iotmesh sim attack</c>: a scenario with its attackers and without, side by side.</summary>
internal static class AttackCommand
{
    private const int SeedsMax = 10_000;

    internal static Command Create()
    {
        var scenario = new Argument<string>("SCENARIO") { Description = "A built-in scenario (attack-...) or a scenario file with 'attackers'." };
        var seed = new Option<ulong>("--seed") { Description = "The first seed.", HelpName = "N", DefaultValueFactory = _ => 1 };
        var seeds = new Option<int>("--seeds") { Description = "Runs with and without.", HelpName = "N", DefaultValueFactory = _ => 3 };
        var json = new Option<bool>("--json") { Description = "The result as JSON." };
        var command = new Command("attack", "Runs a scenario with and without its attackers: what they do to the traffic of the others.")
        {
            scenario, seed, seeds, json,
        };
        HelpWithExamples.Add(command, """
            Delivery and delay of readings in custody and of other messages between honest nodes, from the first attack on. Ends with 1 where a
            node was handed something that nobody sent like that, or twice. docs/attacks.md.
            """, "iotmesh sim attack attack-sinkhole", "iotmesh sim attack attack-wormhole --seeds 20 --json");
        command.SetAction(parse => Run(parse.GetValue(scenario)!, parse.GetValue(seed), parse.GetValue(seeds), parse.GetValue(json)));
        return command;
    }

    private static int Run(string name, ulong seed, int seeds, bool isJson)
    {
        if (seeds is < 1 or > SeedsMax)
        {
            throw new CommandFailure($"--seeds: 1 to {SeedsMax}, is {seeds}", ExitCode.Usage);
        }

        AttackComparison comparison = AttackComparison.Run(Scenario.Load(name), seed, seeds);
        Console.Write(isJson ? comparison.ToJson() : comparison.ToText());
        return comparison.IsGood ? ExitCode.Success : ExitCode.Failed;
    }
}
