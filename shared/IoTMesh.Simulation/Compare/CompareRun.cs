using System.Diagnostics;

namespace IoTMesh.Simulation;

/// <summary>Runs the same traffic under the same faults on mesh, ring, star and client-server layouts.</summary>
public static class CompareRun
{
    /// <summary>Runs all layouts with all seeds, on as many threads as there are processors.</summary>
    /// <param name="progress">Told the number of runs done and of all, from any thread, one call at a time.</param>
    /// <exception cref="InputException">An option is out of range.</exception>
    public static CompareResult Run(CompareOptions options, Action<int, int>? progress = null)
    {
        options.Check();
        long started = Stopwatch.GetTimestamp();
        (SimulationResult Result, CompareWatch Watch)[] runs = new (SimulationResult, CompareWatch)[CompareLayout.All.Count * options.Seeds];
        Lock oneAtATime = new();
        int done = 0;
        Parallel.For(0, runs.Length, i =>
        {
            runs[i] = RunOne(CompareLayout.All[i / options.Seeds], options, options.Seed + (ulong)(i % options.Seeds));
            lock (oneAtATime)
            {
                progress?.Invoke(++done, runs.Length);
            }
        });
        IReadOnlyList<CompareRow> rows = [.. CompareLayout.All.Select((layout, i) =>
            Sum(layout, runs.AsSpan(i * options.Seeds, options.Seeds).ToArray()))];
        return new CompareResult(options, rows, Stopwatch.GetElapsedTime(started).TotalSeconds);
    }

    /// <summary>The scenario that a layout runs with a seed: what the simulator's other commands take.</summary>
    public static Scenario ScenarioOf(CompareLayout layout, CompareOptions options, ulong seed) => ComparePlan.Create(layout, options, seed);

    private static (SimulationResult Result, CompareWatch Watch) RunOne(CompareLayout layout, CompareOptions options, ulong seed)
    {
        CompareWatch watch = new();

        // The gateway's machine has a computer's memory whether its service runs or not.
        VirtualMeshOptions world = new()
        {
            Watch = watch,
            Configure = config => config.MaxNeighbors = config.Address == 1 ? CompareOptions.NodesMax : config.MaxNeighbors,
        };
        return (SimulationRun.Run(ComparePlan.Create(layout, options, seed), null, world), watch);
    }

    private static CompareRow Sum(CompareLayout layout, (SimulationResult Result, CompareWatch Watch)[] runs)
    {
        List<ComparePhase> phases = [];
        foreach ((int phase, string name) in ComparePlan.Phases.Index())
        {
            phases.Add(new ComparePhase(name, Count(runs, phase, 0), Count(runs, phase, 1)));
        }

        double delivered = Math.Max(1, runs.Sum(run => run.Result.Delivered));
        double sendingJoules = runs.Sum(run => run.Watch.Radios.Sum(use => RadioEnergy.SendingJoules(use)));
        return new CompareRow
        {
            Layout = layout.Name,
            Phases = phases,
            GatewayLatencyMs = Spread.Of([.. runs.SelectMany(run => run.Watch.GatewayLatenciesMs)]),
            NodeLatencyMs = Spread.Of([.. runs.SelectMany(run => run.Watch.NodeLatenciesMs)]),
            HopsMean = runs.Sum(run => run.Result.Hops) / delivered,
            BytesPerMessage = runs.Sum(run => run.Result.TrafficBytes) / delivered,
            SendingMillijoulesPerMessage = 1_000 * sendingJoules / delivered,
            SendingJoulesPerNodeHour = PerNodeHour(runs, use => RadioEnergy.SendingJoules(use)),
            JoulesPerNodeHour = PerNodeHour(runs, use => RadioEnergy.TotalJoules(use)),
            Violations = [.. runs.SelectMany(run => run.Result.Violations.Select(what => $"seed {run.Result.Seed}: {what}"))],
        };
    }

    private static CompareCount Count((SimulationResult Result, CompareWatch Watch)[] runs, int phase, int kind) => new()
    {
        Sent = runs.Sum(run => run.Watch.Counts[phase, kind].Sent),
        Delivered = runs.Sum(run => run.Watch.Counts[phase, kind].Delivered),
    };

    /// <summary>Over an hour of the node's running; the busiest node is found in each run and averaged over the runs.</summary>
    private static MeanAndBusiest PerNodeHour((SimulationResult Result, CompareWatch Watch)[] runs, Func<RadioUse, double> joules)
    {
        double[][] nodes = [.. runs.Select(run => run.Watch.Radios
            .Select(use => 3_600 * joules(use) / (use.AwakeSeconds + use.AsleepSeconds)).ToArray())];
        return new MeanAndBusiest(nodes.Average(node => node.Average()), nodes.Average(node => node.Max()));
    }
}
