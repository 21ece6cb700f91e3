namespace IoTMesh.Simulation;

/// <summary>Something a person wrote (a scenario, a topology, a control line) is wrong. The message is one line that says where and what.</summary>
public sealed class InputException : Exception
{
    public InputException(string message)
        : base(message)
    {
    }

    public InputException(string message, Exception inner)
        : base(message, inner)
    {
    }

    /// <summary>What a JSON reader says, fit for one line: it quotes the input, which may be long and hold control characters.</summary>
    public static string Shorten(string message)
    {
        const int CharsMax = 160;
        string first = message.Split(" LineNumber:")[0].TrimEnd();
        string line = string.Concat(first.Select(c => char.IsControl(c) || c == '\uFFFD' ? '?' : c));
        return line.Length <= CharsMax ? line : line[..(CharsMax / 2)] + " ... " + line[^(CharsMax / 2)..];
    }
}
