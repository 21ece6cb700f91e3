using System.Diagnostics;

namespace IoTMesh.Simulation;

/// <summary>What to search, and how long.</summary>
public sealed record FuzzOptions
{
    /// <summary>First seed; the others follow one by one.</summary>
    public ulong From { get; init; } = 1;

    /// <summary>Number of seeds; null for no end.</summary>
    public long? Seeds { get; init; }

    /// <summary>Ends after this time; null for no end.</summary>
    public TimeSpan? Duration { get; init; }

    /// <summary>Ends with the first failure, once it is shrunk.</summary>
    public bool UntilFailure { get; init; }

    /// <summary>Largest number of nodes of a plan.</summary>
    public int NodesMax { get; init; } = 30;

    /// <summary>Simulations at a time.</summary>
    public int Parallelism { get; init; } = Environment.ProcessorCount;

    /// <summary>Where shrunk scenarios are written.</summary>
    public string Folder { get; init; } = ".";

    /// <summary>Between reports of progress.</summary>
    public TimeSpan ReportEvery { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>Most simulations to spend on shrinking one failure.</summary>
    public int ShrinkRunsMax { get; init; } = 4_000;
}

/// <summary>A failure that the search found.</summary>
/// <param name="Seed">Of the plan.</param>
/// <param name="Drawn">The plan as drawn.</param>
/// <param name="Shrunk">The smallest that still fails so; null where one like it was shrunk before.</param>
/// <param name="File">Where the shrunk scenario is; null where there is none.</param>
public sealed record FuzzFinding(ulong Seed, FuzzFailure Failure, Scenario Drawn, Shrunk? Shrunk, string? File);

/// <summary>Where the search stands.</summary>
/// <param name="Next">First seed that is not done yet: go on from here.</param>
public sealed record FuzzProgress(long Done, int Failed, ulong Next, double WallSeconds);

/// <summary>Runs <see cref="FuzzPlan"/>s on all cores until told to stop, and shrinks what fails.</summary>
/// <param name="judge">Null for a scenario that does not fail; <see cref="FuzzJudge.FailureOf"/>, if not for a test.</param>
public sealed class FuzzRun(FuzzOptions options, Func<Scenario, FuzzFailure?> judge)
{
    private readonly HashSet<string> _shrunkCategories = [];
    private readonly List<FuzzFinding> _findings = [];

    /// <summary>In order of their seeds.</summary>
    public IReadOnlyList<FuzzFinding> Findings => _findings;

    /// <summary>Searches. The seeds that fail, and what they shrink to, do not depend on the number of cores.</summary>
    /// <param name="found">Is told of each failure.</param>
    /// <param name="report">Is told where the search stands, now and then.</param>
    /// <exception cref="IOException">A scenario cannot be written.</exception>
    public FuzzProgress Run(Action<FuzzFinding> found, Action<FuzzProgress> report, CancellationToken stop)
    {
        var clock = Stopwatch.StartNew();
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(stop);
        limit.CancelAfter(options.Duration ?? Timeout.InfiniteTimeSpan);
        TimeSpan reported = TimeSpan.Zero;
        long done = 0;
        FuzzProgress Now() => new(done, _findings.Count, options.From + (ulong)done, clock.Elapsed.TotalSeconds);

        // In batches, so that what is found first is the lowest seed.
        int batch = Math.Max(1, options.Parallelism) * 4;
        while (!limit.IsCancellationRequested && done < (options.Seeds ?? long.MaxValue))
        {
            int count = (int)Math.Min(batch, (options.Seeds ?? long.MaxValue) - done);
            ulong first = options.From + (ulong)done;
            var failures = new FuzzFailure?[count];
            var plans = new Scenario[count];
            var parallel = new ParallelOptions { MaxDegreeOfParallelism = Math.Max(1, options.Parallelism) };
            Parallel.For(0, count, parallel, i =>
            {
                plans[i] = FuzzPlan.Create(first + (ulong)i, options.NodesMax);
                failures[i] = limit.IsCancellationRequested ? null : judge(plans[i]);
            });
            if (limit.IsCancellationRequested && failures.All(failure => failure is null))
            {
                break;
            }

            done += count;
            for (int i = 0; i < count; i++)
            {
                if (failures[i] is { } failure)
                {
                    FuzzFinding finding = Shrink(plans[i], failure, limit.Token);
                    _findings.Add(finding);
                    found(finding);
                    if (options.UntilFailure)
                    {
                        return Now();
                    }
                }
            }

            if (clock.Elapsed - reported >= options.ReportEvery)
            {
                reported = clock.Elapsed;
                report(Now());
            }
        }

        return Now();
    }

    private FuzzFinding Shrink(Scenario plan, FuzzFailure failure, CancellationToken stop)
    {
        if (!_shrunkCategories.Add(failure.Category))
        {
            return new FuzzFinding(plan.Seed, failure, plan, null, null);
        }

        ScenarioShrinker shrinker = new(judge) { Parallelism = options.Parallelism, RunsMax = options.ShrinkRunsMax };
        Shrunk shrunk = shrinker.Shrink(plan, failure, stop);
        string file = Path.Combine(options.Folder, $"{plan.Name}.json");
        Directory.CreateDirectory(options.Folder);
        File.WriteAllText(file, shrunk.Scenario.ToJson());
        return new FuzzFinding(plan.Seed, failure, plan, shrunk, file);
    }
}
