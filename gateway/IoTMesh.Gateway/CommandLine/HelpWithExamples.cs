using System.CommandLine;
using System.CommandLine.Help;
using System.CommandLine.Invocation;

namespace IoTMesh.Gateway.CommandLine;

/// <summary>The usual help with details and examples below it.</summary>
internal sealed class HelpWithExamples(Command root, IReadOnlyList<string> rootExamples) : SynchronousCommandLineAction
{
    private static readonly Dictionary<Command, (string Details, IReadOnlyList<string> Examples)> _texts = [];
    private readonly HelpAction _usual = new() { MaxWidth = 110 };

    public override bool ClearsParseErrors => true;

    public override int Invoke(ParseResult parseResult)
    {
        int code = _usual.Invoke(parseResult);
        Command command = parseResult.CommandResult.Command;
        (string details, IReadOnlyList<string> examples) = command == root ? ("", rootExamples) : _texts.GetValueOrDefault(command, ("", []));
        TextWriter output = parseResult.InvocationConfiguration.Output;
        if (details.Length > 0)
        {
            output.WriteLine(details);
            output.WriteLine();
        }

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

    /// <summary>Remembers what stands below a command's usual help.</summary>
    internal static void Add(Command command, string details, params string[] examples)
    {
        _texts[command] = (details, examples);
    }
}
