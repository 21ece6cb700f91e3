using System.CommandLine;
using System.CommandLine.Help;
using System.CommandLine.Invocation;

namespace IoTMesh.Gateway.CommandLine;

/// <summary>The usual help with examples below it.</summary>
internal sealed class HelpWithExamples(Command root, IReadOnlyList<string> rootExamples) : SynchronousCommandLineAction
{
    private static readonly Dictionary<Command, IReadOnlyList<string>> _examples = [];
    private readonly HelpAction _usual = new() { MaxWidth = 110 };

    public override bool ClearsParseErrors => true;

    public override int Invoke(ParseResult parseResult)
    {
        int code = _usual.Invoke(parseResult);
        Command command = parseResult.CommandResult.Command;
        IReadOnlyList<string> examples = command == root ? rootExamples : _examples.GetValueOrDefault(command) ?? [];
        TextWriter output = parseResult.InvocationConfiguration.Output;
        if (examples.Count > 0)
        {
            output.WriteLine("Examples:");
            foreach (string example in examples)
            {
                output.WriteLine("  " + example);
            }

            output.WriteLine();
        }

        return code;
    }

    /// <summary>Remembers examples of a command.</summary>
    internal static void Add(Command command, params string[] examples)
    {
        _examples[command] = examples;
    }
}
