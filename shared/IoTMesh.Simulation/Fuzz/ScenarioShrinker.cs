namespace IoTMesh.Simulation;

/// <summary>A scenario made small.</summary>
/// <param name="Runs">Simulations that it took.</param>
public sealed record Shrunk(Scenario Scenario, FuzzFailure Failure, int Runs);

/// <summary>
/// Makes a failing scenario smaller while it still fails in the same way: fewer faults, nodes, sources and gateways, less loss, shorter,
/// rounder times. Greedy, to a fixed point. A smaller scenario draws other random numbers, so each is tried with a few seeds.
/// Deterministic for a deterministic judge, unless it is stopped.
/// </summary>
/// <param name="judge">Null for a scenario that does not fail. Called from several threads.</param>
public sealed class ScenarioShrinker(Func<Scenario, FuzzFailure?> judge)
{
    private const int RoundsMax = 12;

    /// <summary>Most simulations to spend.</summary>
    public int RunsMax { get; init; } = 4_000;

    /// <summary>Seeds to try for each smaller scenario.</summary>
    public int SeedsEach { get; init; } = 4;

    /// <summary>Simulations at a time.</summary>
    public int Parallelism { get; init; } = Environment.ProcessorCount;

    private Scenario _best = null!;
    private FuzzFailure _failure = null!;
    private int _runs;
    private CancellationToken _stop;

    /// <param name="scenario">Must fail.</param>
    /// <param name="failure">How it fails.</param>
    /// <param name="stop">Ends it early, with the smallest found so far.</param>
    public Shrunk Shrink(Scenario scenario, FuzzFailure failure, CancellationToken stop = default)
    {
        (_best, _failure, _runs, _stop) = (scenario, failure, 0, stop);
        bool isSmaller = true;
        for (int round = 0; isSmaller && round < RoundsMax && CanGoOn; round++)
        {
            isSmaller = DropFaults();
            isSmaller |= TryEach(Simpler.Traffic);
            isSmaller |= TryEach(Simpler.Nodes);
            isSmaller |= TryEach(Simpler.Gateways);
            isSmaller |= TryEach(Simpler.Leaves);
            isSmaller |= TryEach(Simpler.Loss);
            isSmaller |= TryEach(Simpler.Radio);
            isSmaller |= TryEach(Simpler.Sources);
            isSmaller |= TryEach(Simpler.Duration);
            isSmaller |= TryEach(Simpler.Faults);
        }

        return new Shrunk(_best, _failure, _runs);
    }

    private bool CanGoOn => _runs < RunsMax && !_stop.IsCancellationRequested;

    /// <summary>Takes the first that fails of ever new proposals, until none does.</summary>
    private bool TryEach(Func<Scenario, IEnumerable<Scenario>> propose)
    {
        bool isSmaller = false;
        while (CanGoOn && TryAny([.. propose(_best)]))
        {
            isSmaller = true;
        }

        return isSmaller;
    }

    /// <summary>Removes runs of faults, long ones first (delta debugging).</summary>
    private bool DropFaults()
    {
        bool isSmaller = false;
        for (int length = Math.Max(1, _best.Faults.Count / 2); length >= 1 && _best.Faults.Count > 0 && CanGoOn; length /= 2)
        {
            while (CanGoOn && TryAny([.. Without(length)]))
            {
                isSmaller = true;
            }
        }

        return isSmaller;
    }

    private IEnumerable<Scenario> Without(int length)
    {
        Scenario whole = _best;
        for (int start = 0; start < whole.Faults.Count; start += length)
        {
            yield return whole with { Faults = [.. whole.Faults.Where((_, i) => i < start || i >= start + length)] };
        }
    }

    /// <summary>Runs the candidates, some at a time, and takes the first in order that fails with any of its seeds.</summary>
    private bool TryAny(List<Scenario> candidates)
    {
        List<Scenario> trials = [.. candidates.SelectMany(candidate =>
            Enumerable.Range(0, SeedsEach).Select(i => candidate with { Seed = _best.Seed + (ulong)i }))];
        int batch = Math.Max(1, Parallelism);
        for (int first = 0; first < trials.Count && CanGoOn; first += batch)
        {
            int count = Math.Min(batch, trials.Count - first);
            FuzzFailure?[] failures = new FuzzFailure?[count];
            Parallel.For(0, count, new ParallelOptions { MaxDegreeOfParallelism = batch }, i => failures[i] = TryJudge(trials[first + i]));
            _runs += count;
            int found = Array.FindIndex(failures, failure => failure?.Category == _failure.Category);
            if (found >= 0)
            {
                (_best, _failure) = (trials[first + found], failures[found]!);
                return true;
            }
        }

        return false;
    }

    private FuzzFailure? TryJudge(Scenario scenario)
    {
        try
        {
            return judge(scenario);
        }
        catch (InputException)
        {
            // A proposal that cannot be laid out.
            return null;
        }
    }
}
