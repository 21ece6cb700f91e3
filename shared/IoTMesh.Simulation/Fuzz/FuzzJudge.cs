using System.Text;

namespace IoTMesh.Simulation;

/// <summary>Why a scenario counts as failed.</summary>
/// <param name="Category">The same for failures of the same sort, whatever node, time and number: what it says without digits.</param>
/// <param name="What">For people.</param>
public sealed record FuzzFailure(string Category, string What);

/// <summary>Runs a scenario and says whether it failed: a checker's finding, or an exception.</summary>
public static class FuzzJudge
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

    private static string CategoryOf(string violation)
    {
        StringBuilder text = new();
        foreach (char c in violation.Where(c => !char.IsAsciiDigit(c) && c != '.'))
        {
            text.Append(c);
        }

        // Routes can fail to arrive in several ways of one cause.
        string category = text.ToString();
        int colon = category.IndexOf(": ", StringComparison.Ordinal);
        int second = colon < 0 ? -1 : category.IndexOf(": ", colon + 1, StringComparison.Ordinal);
        return second < 0 ? category : category[..second];
    }
}
