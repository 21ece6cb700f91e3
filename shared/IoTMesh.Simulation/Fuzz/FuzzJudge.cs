using System.Text.RegularExpressions;

namespace IoTMesh.Simulation;

/// <summary>Why a scenario counts as failed.</summary>
/// <param name="Category">The same for failures of the same sort, whatever node, time and number: what it says without those.</param>
/// <param name="What">For people.</param>
public sealed record FuzzFailure(string Category, string What);

/// <summary>Runs a scenario and says whether it failed: a checker's finding, or an exception.</summary>
public static partial class FuzzJudge
{
    /// <returns>Null for a good run.</returns>
    /// <exception cref="InputException">The scenario cannot be laid out: no failure of the mesh.</exception>
    public static FuzzFailure? FailureOf(Scenario scenario)
    {
        try
        {
            SimulationResult result = SimulationRun.Run(scenario);
            return result.IsGood ? null : new FuzzFailure(CategoryOf(result.Violations[0]), result.Violations[0]);
        }
        catch (Exception error) when (error is not InputException)
        {
            string where = error.StackTrace?.Split('\n').FirstOrDefault()?.Trim().Split(" in ")[0] ?? "nowhere";
            return new FuzzFailure($"{error.GetType().Name} {where}", $"{error.GetType().Name}: {error.Message} ({where})");
        }
    }

    [GeneratedRegex(@"\d+(\.\d+)?")]
    private static partial Regex Number();

    private static string CategoryOf(string violation)
    {
        // No next hop at all is another matter than a wrong one.
        return Number().Replace(violation, number => number.Value == "0" ? "none" : "#");
    }
}
