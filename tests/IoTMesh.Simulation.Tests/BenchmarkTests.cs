using System.Text.Json;

namespace IoTMesh.Simulation.Tests;

public class BenchmarkTests
{
    [Fact]
    public void Every_row_names_a_built_in_scenario_and_what_others_reach()
    {
        foreach (BenchmarkRow row in BenchmarkTable.Rows)
        {
            Assert.True(row.TraceRoot != null || Scenario.BuiltIn.Contains(row.Scenario), $"{row.Scenario} is no built-in scenario");
            Assert.True(BenchmarkTable.Others.ContainsKey(row.Topic), $"nothing is said of what others reach: {row.Topic}");
        }
    }

    [Fact]
    public void Rows_of_one_scenario_share_its_runs_and_say_whether_the_target_is_met()
    {
        List<string> started = [];
        BenchmarkRow delivered = BenchmarkRun.Select(["grid8-25"])[0];
        BenchmarkRow bytes = BenchmarkRun.Select(["grid8-25"])[1];
        IReadOnlyList<BenchmarkRow> rows = [delivered with { Target = 90 }, bytes with { Target = 1_000 }, delivered with { Target = 100.1 }];
        IReadOnlyList<BenchmarkOutcome> outcomes = BenchmarkRun.Run(rows, 2, null, (_, _, name, seeds) => started.Add($"{name} {seeds}"));

        Assert.Equal(["grid8-25-sensors10 2"], started);
        Assert.Equal([true, true, false], outcomes.Select(outcome => outcome.IsMet));
        Assert.Contains("SHORT", BenchmarkText.ToText(outcomes), StringComparison.Ordinal);
        using JsonDocument json = JsonDocument.Parse(BenchmarkText.ToJson(outcomes));
        Assert.Equal(2, json.RootElement.GetProperty("met").GetInt32());
        Assert.InRange(json.RootElement.GetProperty("rows")[1].GetProperty("value").GetDouble(), 50, 1_000);
        Assert.Contains("| `grid8-25-sensors10` | % delivered |", BenchmarkText.ToMarkdown(outcomes), StringComparison.Ordinal);
    }

    [Fact]
    public void Row_without_its_graph_is_short_and_says_what_to_name()
    {
        IReadOnlyList<BenchmarkOutcome> outcomes = BenchmarkRun.Run(BenchmarkRun.Select(["orchard-16-deepRoot"]), 1, null, (_, _, _, _) => { });
        BenchmarkOutcome outcome = Assert.Single(outcomes);
        Assert.False(outcome.IsMet);
        Assert.Null(outcome.Measured);
        Assert.Contains("--traces", outcome.Note, StringComparison.Ordinal);
    }
}
