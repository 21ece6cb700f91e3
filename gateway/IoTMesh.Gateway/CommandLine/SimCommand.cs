using System.CommandLine;
using IoTMesh.Simulation;

namespace IoTMesh.Gateway.CommandLine;

/// <summary><c>iotmesh sim</c>: runs in virtual time.</summary>
internal static class SimCommand
{
    private const int SeedsMax = 10_000;

    private sealed record Options(string? Name, ulong? Seed, int? Seeds, bool IsJson, bool IsList, string? Pcap, string? Replay);

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
        var pcap = new Option<string?>("--pcap")
        {
            Description = "Writes every link frame of the run for Wireshark (hardware/wireshark/iotmesh.lua).",
            HelpName = "OUT.pcapng",
        };
        var replay = new Option<string?>("--replay")
        {
            Description = "Writes the run as one HTML page to scrub through in a browser.",
            HelpName = "OUT.html",
        };
        var command = new Command("sim", "Runs a scenario in virtual time, checks it all the while and measures.")
        {
            scenario, seed, seeds, json, list, pcap, replay, FuzzCommand.Create(), SoakCommand.Create(), CompareCommand.Create(),
            AttackCommand.Create(),
        };
        HelpWithExamples.Add(command, """
            The same seed gives the same run, bit by bit: the trace hash says so. Ends with 1 where a check failed. docs/simulator.md.
            """, "iotmesh sim --list", "iotmesh sim grid4-16-loss20 --seed 7", "iotmesh sim mine.json --seeds 200 --json",
            "iotmesh sim grid4-16-heal --pcap heal.pcapng --replay heal.html");
        command.SetAction(parse => Run(new Options(
            parse.GetValue(scenario),
            parse.GetValue(seed),
            parse.GetValue(seeds),
            parse.GetValue(json),
            parse.GetValue(list),
            parse.GetValue(pcap),
            parse.GetValue(replay))));
        return command;
    }

    private static int Run(Options options)
    {
        if (options.IsList)
        {
            foreach (string builtIn in Scenario.BuiltIn)
            {
                Console.WriteLine(builtIn);
            }

            return ExitCode.Success;
        }

        if (options.Name is null)
        {
            throw new CommandFailure("name a scenario or a scenario file; iotmesh sim --list shows the built-in ones", ExitCode.Usage);
        }

        if (options.Seeds is < 1 or > SeedsMax)
        {
            throw new CommandFailure($"--seeds: 1 to {SeedsMax}, is {options.Seeds}", ExitCode.Usage);
        }

        if (options.Seeds is not null && (options.Pcap ?? options.Replay) is not null)
        {
            string option = options.Pcap is null ? "--replay" : "--pcap";
            throw new CommandFailure($"{option} shows one run: leave --seeds out, choose the run with --seed", ExitCode.Usage);
        }

        CheckDifferent("--pcap", options.Pcap, "the scenario", options.Name);
        CheckDifferent("--replay", options.Replay, "the scenario", options.Name);
        CheckDifferent("--replay", options.Replay, "--pcap", options.Pcap);
        Scenario scenario = Scenario.Load(options.Name);
        if (options.Seeds is { } count)
        {
            SimulationResults results = SimulationRun.RunMany(scenario, options.Seed ?? 1, count, done => TellProgress(done, count));
            Console.WriteLine(options.IsJson ? results.ToJson() : results.ToText());
            return results.IsGood ? ExitCode.Success : ExitCode.Failed;
        }

        SimulationResult result = RunWatched(scenario, options);
        Console.WriteLine(options.IsJson ? result.ToJson() : result.ToText());
        return result.IsGood ? ExitCode.Success : ExitCode.Failed;
    }

    // One would overwrite the other.
    private static void CheckDifferent(string option, string? path, string otherOption, string? other)
    {
        if (!string.IsNullOrEmpty(path) && !string.IsNullOrEmpty(other) && Path.GetFullPath(path) == Path.GetFullPath(other))
        {
            throw new CommandFailure($"{option}: {path} is the file of {otherOption}, too; name another", ExitCode.Usage);
        }
    }

    private static SimulationResult RunWatched(Scenario scenario, Options options)
    {
        ulong seed = options.Seed ?? scenario.Seed;
        using RunCapture? capture = options.Pcap is null ? null : new RunCapture(OutputFile.Create("--pcap", options.Pcap), scenario, seed);
        using FileStream? page = options.Replay is null ? null : OutputFile.Create("--replay", options.Replay);
        ReplayRecorder recorder = new(scenario, seed);
        List<IRunWatch> watches = [];
        if (capture is not null)
        {
            watches.Add(capture);
        }

        if (page is not null)
        {
            watches.Add(recorder);
        }

        VirtualMeshOptions? watched = watches.Count == 0 ? null : new VirtualMeshOptions { Watch = new RunWatches(watches) };
        SimulationResult result = SimulationRun.Run(scenario, options.Seed, watched);
        if (page is not null)
        {
            recorder.Write(page);
        }

        return result;
    }

    /// <summary>A line on stderr for each tenth of many runs, so that stdout carries the result alone.</summary>
    private static void TellProgress(int done, int count)
    {
        int step = Math.Max(1, count / 10);
        if (count >= 20 && done % step == 0)
        {
            Console.Error.WriteLine($"{done} of {count} seeds");
        }
    }
}
