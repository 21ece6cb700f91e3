using System.Globalization;

namespace IoTMesh.Simulation;

/// <summary>The control lines of the air, docs/protocol.md 11.5.</summary>
internal static class AirControl
{
    internal const string Usage =
        "cut A B | heal A B | loss R|off | loss A B R | kill N | start N | partition A,B C,D | merge | move N X Y | delay MS | status";

    /// <summary>Applies a line to the medium.</summary>
    /// <param name="setDelayMs">Takes the new delay.</param>
    /// <returns>False for a line that is not about the medium.</returns>
    /// <exception cref="InputException">The line is wrong.</exception>
    internal static bool Apply(string line, Medium medium, Action<int> setDelayMs)
    {
        string[] words = line.Split([' ', '\t'], StringSplitOptions.RemoveEmptyEntries);
        switch (words.Length == 0 ? string.Empty : words[0], words.Length - 1)
        {
            case ("cut", 2):
                medium.Cut(Id(words[1]), Id(words[2]));
                return true;
            case ("heal" or "restore", 2):
                medium.Restore(Id(words[1]), Id(words[2]));
                return true;
            case ("loss", 1):
                medium.SetLoss(words[1] == "off" ? null : Number(words[1], 0, 1));
                return true;
            case ("loss", 3):
                medium.SetLoss(Id(words[1]), Id(words[2]), Number(words[3], 0, 1));
                return true;
            case ("kill", 1):
                medium.Kill(Id(words[1]));
                return true;
            case ("start", 1):
                medium.Start(Id(words[1]));
                return true;
            case ("partition", > 0):
                medium.Partition([.. words.Skip(1).Select(group => (IReadOnlyList<int>)[.. group.Split(',').Select(Id)])]);
                return true;
            case ("merge", 0):
                medium.Merge();
                return true;
            case ("move", 3):
                medium.Move(Id(words[1]), Number(words[2], -1e6, 1e6), Number(words[3], -1e6, 1e6));
                return true;
            case ("delay", 1):
                setDelayMs((int)Number(words[1], 0, 60_000));
                return true;
            default:
                return false;
        }
    }

    private static int Id(string word)
    {
        return int.TryParse(word, NumberStyles.None, CultureInfo.InvariantCulture, out int id)
            ? id
            : throw new InputException($"'{Shown(word)}' is not a node's address");
    }

    private static double Number(string word, double min, double max)
    {
        bool isNumber = double.TryParse(word, NumberStyles.Float, CultureInfo.InvariantCulture, out double value) && value >= min && value <= max;
        return isNumber
            ? value
            : throw new InputException(string.Create(CultureInfo.InvariantCulture, $"'{Shown(word)}' is not a number from {min} to {max}"));
    }

    /// <summary>What somebody sent, safe to print.</summary>
    internal static string Shown(string word)
    {
        string printable = new([.. word.Take(40).Select(c => char.IsControl(c) ? '?' : c)]);
        return word.Length > 40 ? printable + "..." : printable;
    }
}
