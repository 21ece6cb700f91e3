using System.CommandLine;
using IoTMesh.Simulation;

namespace IoTMesh.Gateway.CommandLine;

/// <summary><c>iotmesh benchmark</c>: the figures that the mesh is held to, measured anew.</summary>
internal static class BenchmarkCommand
{
    private const int SeedsDefault = 20;
    private const int SeedsMax = 10_000;

    internal static Command Create()
    {
        var rows = new Argument<string[]>("ROW")
        {
            Description = "Only rows whose scenario, topic or figure contains one of these words.",
            Arity = ArgumentArity.ZeroOrMore,
        };
        var seeds = new Option<int>("--seeds")
        {
            Description = "Runs of each scenario; long ones take fewer.",
            HelpName = "N",
            DefaultValueFactory = _ => SeedsDefault,
        };
        var traces = new Option<string?>("--traces")
        {
            Description = "Folder of measured radio graphs (grenoble-50.json, orchard-16.json).",
            HelpName = "DIR",
        };
        var json = new Option<bool>("--json") { Description = "The result as JSON." };
        var markdown = new Option<bool>("--markdown") { Description = "The result as the table of docs/benchmarks.md." };
        var command = new Command(
            "benchmark", "Measures every figure of docs/benchmarks.md in virtual time and compares it with its target.")
        {
            rows, seeds, traces, json, markdown,
        };
        HelpWithExamples.Add(command, """
            Every figure is read off the runs of one scenario, which `iotmesh sim SCENARIO --seeds N` shows in full. Ends with 1 where
            a target is missed. With 200 seeds it takes a while: progress is on standard error.
            """, "iotmesh benchmark", "iotmesh benchmark heal --seeds 200", "iotmesh benchmark --traces ~/graphs --markdown");
        command.SetAction(parse => Run(
            parse.GetValue(rows) ?? [], parse.GetValue(seeds), parse.GetValue(traces), parse.GetValue(json), parse.GetValue(markdown)));
        return command;
    }

    private static int Run(string[] words, int seeds, string? traces, bool isJson, bool isMarkdown)
    {
        if (seeds is < 1 or > SeedsMax)
        {
            throw new CommandFailure($"--seeds: 1 to {SeedsMax}, is {seeds}", ExitCode.Usage);
        }

        if (isJson && isMarkdown)
        {
            throw new CommandFailure("--json and --markdown: choose one", ExitCode.Usage);
        }

        if (traces != null && !Directory.Exists(traces))
        {
            throw new CommandFailure($"--traces {traces}: no such folder", ExitCode.Usage);
        }

        IReadOnlyList<BenchmarkRow> rows = BenchmarkRun.Select(words);
        if (rows.Count == 0)
        {
            throw new CommandFailure($"no row is named like {string.Join(" or ", words)}; docs/benchmarks.md lists them", ExitCode.Usage);
        }

        IReadOnlyList<BenchmarkOutcome> outcomes = BenchmarkRun.Run(rows, seeds, traces, (number, all, name, count) =>
            Console.Error.WriteLine($"{number} of {all}: {name}, {count} seeds"));
        Console.WriteLine(isJson ? BenchmarkText.ToJson(outcomes) : isMarkdown ? BenchmarkText.ToMarkdown(outcomes) : BenchmarkText.ToText(outcomes));
        return outcomes.All(outcome => outcome.IsMet) ? ExitCode.Success : ExitCode.Failed;
    }
}
