using System.Diagnostics;

namespace IoTMesh.Gateway.Fuzzing;

/// <summary>What was wrong with one input.</summary>
/// <param name="What">One line: an exception, too much allocated, too long taken, a state out of its bounds.</param>
/// <param name="Input">Number of the input in its run: the same seed and so many inputs show it again.</param>
/// <param name="Hex">The input.</param>
/// <param name="Smallest">The shortest input found that fails alike on a fresh parser; null where none does.</param>
internal sealed record FuzzFinding(string What, ulong Seed, long Input, string Hex, string? Smallest);

/// <summary>One parser's run.</summary>
internal sealed record FuzzResult(
    string Parser, ulong Seed, long Inputs, double Seconds, int Outcomes, int Corpus, long AllocatedBytesMax, long AllocatedBytesLimit,
    double MillisecondsMax, IReadOnlyList<FuzzFinding> Findings)
{
    public double InputsPerSecond => Inputs / Math.Max(Seconds, 1e-9);
}

/// <summary>
/// Feeds damaged inputs to a parser and keeps those that lead to an outcome not seen before, to damage them further. Checks each:
/// no exception but the parser's own answer, no more allocated than stated, no more time than <see cref="MillisecondsLimit"/>.
/// </summary>
internal sealed class FuzzEngine(string parser, Func<FuzzTarget> create, ulong seed)
{
    internal const int MillisecondsLimit = 500;
    private const int CorpusMax = 2_000;
    private const int FindingsMax = 8;
    private const int CheckEvery = 20_000;
    private const int SmallerTriesMax = 4_000;

    private readonly HashSet<ulong> _outcomes = [];
    private readonly List<FuzzFinding> _findings = [];
    private readonly HashSet<string> _kinds = [];
    private FuzzTarget _target = create();
    private long _allocatedMax;
    private double _millisecondsMax;

    /// <summary>Runs until so many inputs were fed, or for so long, or until it has found enough.</summary>
    internal FuzzResult Run(long inputsMax, TimeSpan duration, CancellationToken stop)
    {
        List<byte[]> corpus = [.. _target.Samples];
        foreach (byte[] sample in corpus)
        {
            // Twice: what a first call sets up once is not the input's.
            Feed(sample, sample.Length, out _);
            Feed(sample, sample.Length, out _);
        }

        var mutator = new Mutator(new Random((int)(seed ^ (seed >> 32))), corpus, _target.InputBytesMax, _target.IsText);
        _target = create();
        _allocatedMax = 0;
        _millisecondsMax = 0;
        long started = Stopwatch.GetTimestamp();
        long inputs = 0;
        while (inputs < inputsMax && _findings.Count < FindingsMax && !stop.IsCancellationRequested)
        {
            int count = mutator.Next();
            inputs++;
            string? wrong = Feed(mutator.Buffer, count, out ulong outcome);
            if (wrong is not null)
            {
                Note(wrong, inputs, mutator.Buffer.AsSpan(0, count).ToArray());
                _target = create();
            }
            else if (_outcomes.Add(outcome) && corpus.Count < CorpusMax)
            {
                corpus.Add(mutator.Buffer.AsSpan(0, count).ToArray());
            }

            if (inputs % CheckEvery == 0)
            {
                CheckState(inputs);
                if (Stopwatch.GetElapsedTime(started) > duration)
                {
                    break;
                }
            }
        }

        CheckState(inputs);
        return new FuzzResult(
            parser, seed, inputs, Stopwatch.GetElapsedTime(started).TotalSeconds, _outcomes.Count, corpus.Count, _allocatedMax,
            _target.AllocatedBytesMax, _millisecondsMax, _findings);
    }

    private void CheckState(long inputs)
    {
        try
        {
            _target.Check();
        }
        catch (FuzzException e)
        {
            Note(e.Message, inputs, []);
        }

        _target = create();
    }

    /// <summary>What is wrong, or null.</summary>
    private string? Feed(byte[] input, int count, out ulong outcome)
    {
        outcome = 0;
        long before = GC.GetAllocatedBytesForCurrentThread();
        long started = Stopwatch.GetTimestamp();
        string? wrong = null;
        try
        {
            outcome = _target.Feed(input, count);
        }
        catch (Exception e) when (_target.IsAnswer(e))
        {
            outcome = OutcomeOf(e.Message);
        }
        catch (Exception e)
        {
            return e is FuzzException ? e.Message : $"{e.GetType().Name} in {PlaceOf(e)}";
        }

        double milliseconds = Stopwatch.GetElapsedTime(started).TotalMilliseconds;
        long allocated = GC.GetAllocatedBytesForCurrentThread() - before;
        _allocatedMax = Math.Max(_allocatedMax, allocated);
        if (allocated > _target.AllocatedBytesMax)
        {
            wrong = $"allocates more than {_target.AllocatedBytesMax} bytes";
        }

        // The machine may have been busy with something else: only what is slow again on a fresh parser is slow.
        if (milliseconds > MillisecondsLimit && IsSlow(input, count))
        {
            wrong = $"takes more than {MillisecondsLimit} ms";
        }
        else if (milliseconds <= MillisecondsLimit)
        {
            _millisecondsMax = Math.Max(_millisecondsMax, milliseconds);
        }

        return wrong;
    }

    private bool IsSlow(byte[] input, int count)
    {
        FuzzTarget fresh = create();
        for (int i = 0; i < 3; i++)
        {
            long started = Stopwatch.GetTimestamp();
            try
            {
                fresh.Feed(input, count);
            }
            catch (Exception e) when (fresh.IsAnswer(e))
            {
                // Only its time matters here.
            }

            if (Stopwatch.GetElapsedTime(started).TotalMilliseconds <= MillisecondsLimit)
            {
                return false;
            }
        }

        return true;
    }

    private void Note(string what, long input, byte[] bytes)
    {
        if (_kinds.Add(what))
        {
            byte[]? smallest = Shrink(bytes, what);
            string? hex = smallest is null ? null : Convert.ToHexStringLower(smallest);
            _findings.Add(new FuzzFinding(what, seed, input, Convert.ToHexStringLower(bytes), hex));
        }
    }

    /// <summary>Takes away pieces for as long as a fresh parser fails alike.</summary>
    private byte[]? Shrink(byte[] bytes, string what)
    {
        if (!FailsAlike(bytes, what))
        {
            return null;
        }

        int tries = 0;
        for (int piece = Math.Max(1, bytes.Length / 2); piece >= 1; piece /= 2)
        {
            for (int at = 0; at + piece <= bytes.Length && tries < SmallerTriesMax;)
            {
                tries++;
                byte[] smaller = [.. bytes.AsSpan(0, at), .. bytes.AsSpan(at + piece)];
                if (FailsAlike(smaller, what))
                {
                    bytes = smaller;
                }
                else
                {
                    at += piece;
                }
            }
        }

        return bytes;
    }

    private bool FailsAlike(byte[] bytes, string what)
    {
        _target = create();
        return Feed(bytes, bytes.Length, out _) == what;
    }

    // The first of our own methods on the way out, so that one defect is one failure.
    private static string PlaceOf(Exception e)
    {
        IEnumerable<string> frames = (e.StackTrace ?? "").Split('\n').Select(l => l.Trim()).Where(l => l.StartsWith("at ", StringComparison.Ordinal));
        string first = frames.FirstOrDefault(l => l.StartsWith("at IoTMesh.", StringComparison.Ordinal)) ?? frames.FirstOrDefault() ?? "";
        return first.Split('(')[0].Replace("at ", "", StringComparison.Ordinal);
    }

    // Words of a message; its numbers and quoted input are not an outcome.
    private static ulong OutcomeOf(string message)
    {
        ulong hash = 14695981039346656037UL;
        int letters = 0;
        foreach (char c in message)
        {
            if (char.IsAsciiLetter(c) && letters++ < 80)
            {
                hash = (hash ^ c) * 1099511628211UL;
            }
        }

        return hash;
    }
}
