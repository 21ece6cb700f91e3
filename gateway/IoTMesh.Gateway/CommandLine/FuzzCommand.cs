using System.CommandLine;
using System.Text.Json;
using IoTMesh.Simulation;

namespace IoTMesh.Gateway.CommandLine;

/// <summary><c>iotmesh sim fuzz</c>: searches for scenarios that fail.</summary>
internal static class FuzzCommand
{
    private const double MinutesMax = 60 * 24 * 31;
    private const int NodesMin = 3;
    private const int NodesMax = 200;
    private const int JobsMax = 256;
    private static readonly JsonSerializerOptions _json = new() { PropertyNamingPolicy = JsonNamingPolicy.CamelCase };

    private sealed record Options(
        ulong From, long? Seeds, double? Minutes, bool UntilFailure, int Nodes, int Jobs, string Folder, bool IsJson);

    internal static Command Create()
    {
        var from = new Option<ulong>("--from") { Description = "First seed.", HelpName = "SEED", DefaultValueFactory = _ => 1 };
        var seeds = new Option<long?>("--seeds") { Description = "Ends after so many seeds.", HelpName = "N" };
        var minutes = new Option<double?>("--minutes") { Description = "Ends after so long.", HelpName = "N" };
        var until = new Option<bool>("--until-failure") { Description = "Ends with the first failure, once it is shrunk." };
        var nodes = new Option<int>("--nodes") { Description = "Most nodes of a plan.", HelpName = "N", DefaultValueFactory = _ => 30 };
        var jobs = new Option<int>("--jobs")
        {
            Description = "Simulations at a time; as many as there are processors unless given.",
            HelpName = "N",
            DefaultValueFactory = _ => Environment.ProcessorCount,
        };
        var folder = new Option<string>("--out")
        {
            Description = "Folder for the scenarios that fail.",
            HelpName = "DIR",
            DefaultValueFactory = _ => ".",
        };
        var json = new Option<bool>("--json") { Description = "A line of JSON for each failure and for the end; progress on standard error." };
        var command = new Command("fuzz", "Runs drawn fault plans until told to stop; shrinks those that fail.")
        {
            from, seeds, minutes, until, nodes, jobs, folder, json,
        };
        HelpWithExamples.Add(command, """
            A seed stands for a plan: topology, loss, traffic and faults. A plan fails where a checker does: a routing loop, a message delivered
            twice, a table over its bound, a node that finds no way back after the faults, a kept reading that no gateway has in the end.
            The smallest scenario that still fails so is written as a scenario file. Ends with 1 where something failed. docs/simulator.md.
            """, "iotmesh sim fuzz --minutes 30", "iotmesh sim fuzz --from 100000 --until-failure --out found", "iotmesh sim found/fuzz-100123.json");
        command.SetAction(parse => Run(new Options(
            parse.GetValue(from),
            parse.GetValue(seeds),
            parse.GetValue(minutes),
            parse.GetValue(until),
            parse.GetValue(nodes),
            parse.GetValue(jobs),
            parse.GetRequiredValue(folder),
            parse.GetValue(json))));
        return command;
    }

    private static int Run(Options o)
    {
        Require(o.Seeds is null or >= 1, $"--seeds: at least 1, is {o.Seeds}");
        Require(o.Minutes is null or (> 0 and <= MinutesMax), $"--minutes: above 0 and at most {MinutesMax}, is {o.Minutes}");
        Require(o.Nodes is >= NodesMin and <= NodesMax, $"--nodes: {NodesMin} to {NodesMax}, is {o.Nodes}");
        Require(o.Jobs is >= 1 and <= JobsMax, $"--jobs: 1 to {JobsMax}, is {o.Jobs}");
        OutputFile.CheckFolder("--out", o.Folder);
        using var stopping = new Stopping();
        FuzzRun run = new(
            new FuzzOptions
            {
                From = o.From,
                Seeds = o.Seeds,
                Duration = o.Minutes is { } minutes ? TimeSpan.FromMinutes(minutes) : null,
                UntilFailure = o.UntilFailure,
                NodesMax = o.Nodes,
                Parallelism = o.Jobs,
                Folder = o.Folder,
            },
            FuzzJudge.FailureOf);
        TextWriter talk = o.IsJson ? Console.Error : Console.Out;
        FuzzProgress end = run.Run(finding => Tell(finding, o.IsJson), progress => talk.WriteLine(Text(progress)), stopping.Token);
        Console.WriteLine(o.IsJson ? JsonSerializer.Serialize(end, _json) : Text(end));
        return end.Failed == 0 ? ExitCode.Success : ExitCode.Failed;
    }

    private static string Text(FuzzProgress progress)
    {
        double rate = progress.Done / Math.Max(1e-9, progress.WallSeconds);
        return $"{progress.WallSeconds,7:0} s  {progress.Done} seeds ({rate:0.0} a second), {progress.Failed} failed; next is --from {progress.Next}";
    }

    private static void Tell(FuzzFinding finding, bool isJson)
    {
        if (isJson)
        {
            Console.WriteLine(JsonSerializer.Serialize(
                new
                {
                    finding.Seed,
                    finding.Failure.What,
                    finding.File,
                    shrunkSeed = finding.Shrunk?.Scenario.Seed,
                    shrunkWhat = finding.Shrunk?.Failure.What,
                    shrunkNodes = finding.Shrunk?.Scenario.Topology.Nodes,
                    shrunkFaults = finding.Shrunk?.Scenario.Faults.Count,
                    shrinkRuns = finding.Shrunk?.Runs,
                },
                _json));
            return;
        }

        Console.WriteLine($"FAILED seed {finding.Seed}: {finding.Failure.What}");
        if (finding.Shrunk is not { } shrunk)
        {
            Console.WriteLine("  like one before; not shrunk");
            return;
        }

        Console.WriteLine($"  drawn:  {Size(finding.Drawn)}");
        Console.WriteLine($"  shrunk: {Size(shrunk.Scenario)}, in {shrunk.Runs} runs");
        Console.WriteLine($"  still:  {shrunk.Failure.What}");
        Console.WriteLine($"  replay: iotmesh sim {finding.File}");
    }

    private static string Size(Scenario scenario)
    {
        int sources = scenario.Traffic.Count;
        return $"{scenario.Topology.Nodes} nodes, {scenario.Faults.Count} faults, {sources} kinds of traffic, {scenario.DurationSeconds:0.###} s";
    }

    private static void Require(bool condition, string message)
    {
        if (!condition)
        {
            throw new CommandFailure(message, ExitCode.Usage);
        }
    }
}
