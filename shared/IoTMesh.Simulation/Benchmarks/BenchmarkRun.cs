using System.Text;

namespace IoTMesh.Simulation;

/// <summary>Runs the rows of the <see cref="BenchmarkTable"/>.</summary>
public static class BenchmarkRun
{
    private const string NotGood = "a check failed at seed {0}: {1}";

    /// <summary>Rows whose scenario, topic or figure contains one of the words; all rows without words.</summary>
    public static IReadOnlyList<BenchmarkRow> Select(IReadOnlyList<string> words) => words.Count == 0
        ? BenchmarkTable.Rows
        : [.. BenchmarkTable.Rows.Where(row => words.Any(word =>
            row.Key.Contains(word, StringComparison.OrdinalIgnoreCase)
            || row.Topic.Contains(word, StringComparison.OrdinalIgnoreCase)
            || row.Figure.Contains(word, StringComparison.OrdinalIgnoreCase)))];

    /// <summary>Runs each scenario once for all rows that read a figure off it.</summary>
    /// <param name="rows">What <see cref="Select"/> gave.</param>
    /// <param name="seeds">Runs of each scenario; rows of long scenarios take fewer.</param>
    /// <param name="traces">The folder of measured radio graphs (grenoble-50.json ...), null where there is none.</param>
    /// <param name="progress">Told before each scenario: number of it, number of all, name, seeds.</param>
    public static IReadOnlyList<BenchmarkOutcome> Run(
        IReadOnlyList<BenchmarkRow> rows, int seeds, string? traces, Action<int, int, string, int> progress)
    {
        Dictionary<string, SimulationResults?> done = [];
        List<BenchmarkOutcome> outcomes = [];
        int scenarios = rows.Select(row => row.Key).Distinct().Count();
        foreach (BenchmarkRow row in rows)
        {
            int count = Math.Min(seeds, rows.Where(other => other.Key == row.Key).Max(other => other.SeedsMax));
            if (!done.TryGetValue(row.Key, out SimulationResults? results))
            {
                progress(done.Count + 1, scenarios, row.Key, count);
                Scenario? scenario = Load(row, traces);
                results = scenario == null ? null : SimulationRun.RunMany(scenario, 1, count);
                done[row.Key] = results;
            }

            outcomes.Add(results == null
                ? new BenchmarkOutcome(row, 0, null, $"no {row.Scenario}.json: name the folder of the graphs with --traces")
                : new BenchmarkOutcome(row, results.Runs.Count, row.Value(results), FirstFailure(results)));
        }

        return outcomes;
    }

    private static string FirstFailure(SimulationResults results)
    {
        SimulationResult? failed = results.Runs.FirstOrDefault(run => !run.IsGood);
        return failed == null ? string.Empty : string.Format(null, NotGood, failed.Seed, failed.Violations[0]);
    }

    /// <summary>A reading of 20 bytes a second from every node to the one root, for five minutes.</summary>
    private static Scenario? Load(BenchmarkRow row, string? traces)
    {
        if (row.TraceRoot == null)
        {
            return Scenario.Load(row.Scenario);
        }

        string? path = traces == null ? null : Path.Combine(traces, row.Scenario + ".json");
        if (path == null || !File.Exists(path))
        {
            return null;
        }

        JsonInput trace = JsonInput.Parse(path, TopologyFile.ReadBytes(path));
        int root = trace.Required(row.TraceRoot).AsInt(1, Topology.MaxNodes);
        string json = $$"""
            {
              "name": "{{row.Key}}", "durationSeconds": 300,
              "topology": { "kind": "trace", "file": "{{row.Scenario}}.json", "gateways": [{{root}}] },
              "traffic": [{ "from": "all", "to": "gateway", "periodSeconds": 1, "payloadBytes": 20, "startSeconds": 30 }]
            }
            """;
        return Scenario.Parse(row.Key, Encoding.UTF8.GetBytes(json), traces!);
    }
}
