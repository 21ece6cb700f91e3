using System.Text;

namespace IoTMesh.Simulation.Tests;

/// <summary>Pings and traces in scenarios.</summary>
public class QuestionTests
{
    [Theory]
    [InlineData("ping")]
    [InlineData("trace")]
    public void Questions_are_answered_by_who_lives_and_tell_the_hops(string question)
    {
        string json = $$"""
            {"durationSeconds":120,"topology":{"kind":"line","nodes":5,"loss":0.1},
            "traffic":[{"from":[1],"to":[5],"periodSeconds":5,"startSeconds":10,"ask":"{{question}}"},
            {"from":[2],"to":[4],"periodSeconds":20,"startSeconds":10,"ask":"{{question}}"}],
            "faults":[{"atSeconds":70,"kill":4}]}
            """;
        SimulationResult result = SimulationRun.Run(Scenario.Parse("ask", Encoding.UTF8.GetBytes(json)));
        Assert.True(result.IsGood, result.ToText());

        // Behind the dead node nobody answers; before, everybody does.
        Assert.DoesNotContain(result.Lost, lost => lost.AtSeconds < 68);
        Assert.InRange(result.Lost.Count, 5, 12);
        Assert.InRange(result.HopsMean, 2.5, 4);
        Assert.InRange(result.LatencyMs.P50, 5, 500);
    }

    [Theory]
    [InlineData("""{"from":"all","to":"gateway","periodSeconds":5,"ask":"ping"}""", "ask")]
    [InlineData("""{"from":"all","to":"any","periodSeconds":5,"ask":"ping","confirmed":true}""", "ask")]
    [InlineData("""{"from":"all","to":"any","periodSeconds":5,"ask":"who"}""", "ping, trace")]
    public void Questions_that_make_no_sense_are_refused(string traffic, string named)
    {
        string json = $$"""{"durationSeconds":60,"topology":{"kind":"star","nodes":5},"traffic":[{{traffic}}]}""";
        InputException error = Assert.Throws<InputException>(() => Scenario.Parse("x.json", Encoding.UTF8.GetBytes(json)));
        Assert.Contains(named, error.Message, StringComparison.Ordinal);
    }
}
