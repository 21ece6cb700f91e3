using System.CommandLine;
using System.Text.Json;
using IoTMesh.Gateway.Fuzzing;

namespace IoTMesh.Gateway.CommandLine;

/// <summary><c>iotmesh fuzz</c>: damaged inputs for every parser.</summary>
internal static class ParserFuzzCommand
{
    private const double MinutesMax = 60 * 24 * 31;
    private const long InputsDefault = 100_000;
    private static readonly JsonSerializerOptions _json = new() { PropertyNamingPolicy = JsonNamingPolicy.CamelCase };

    internal static Command Create()
    {
        var parsers = new Argument<string[]>("PARSER") { Description = "Only these; --list names all.", Arity = ArgumentArity.ZeroOrMore };
        var minutes = new Option<double?>("--minutes") { Description = "Ends each parser after so long.", HelpName = "N" };
        var inputs = new Option<long?>("--inputs") { Description = $"Ends each parser after so many inputs ({InputsDefault}).", HelpName = "N" };
        var seed = new Option<ulong>("--seed") { Description = "The same seed, the same inputs.", HelpName = "S", DefaultValueFactory = _ => 1 };
        var list = new Option<bool>("--list") { Description = "Names the parsers." };
        var json = new Option<bool>("--json") { Description = "A line of JSON for each parser." };
        var command = new Command("fuzz", "Feeds damaged inputs to every parser and says what breaks.")
        {
            parsers, minutes, inputs, seed, list, json,
        };
        HelpWithExamples.Add(command, """
            Valid inputs (recorded runs, golden packets, sample files) are flipped, cut, repeated, spliced and made to lie about their lengths;
            those that lead to an outcome not seen before are kept and damaged further. A parser fails where an input ends in an exception that
            is not its own answer, allocates more than stated, takes longer than half a second or leaves a state out of its bounds.
            Ends with 1 where one failed. docs/security.md.
            """, "iotmesh fuzz --list", "iotmesh fuzz --inputs 1000000", "iotmesh fuzz frame message --minutes 30 --seed 7");
        command.SetAction((parse, stop) => Task.FromResult(Run(
            parse.GetValue(parsers) ?? [], parse.GetValue(minutes), parse.GetValue(inputs), parse.GetValue(seed), parse.GetValue(list),
            parse.GetValue(json))));
        return command;
    }

    private static int Run(string[] names, double? minutes, long? inputs, ulong seed, bool isList, bool isJson)
    {
        if (isList)
        {
            foreach (Parser parser in Parsers.All)
            {
                Console.WriteLine($"{parser.Name,-17} {parser.About}");
            }

            return ExitCode.Success;
        }

        Require(minutes is null or (> 0 and <= MinutesMax), $"--minutes: above 0 and at most {MinutesMax}, is {minutes}");
        Require(inputs is null or >= 1, $"--inputs: at least 1, is {inputs}");
        foreach (string name in names)
        {
            Require(Parsers.All.Any(p => p.Name == name), $"no parser {name}; iotmesh fuzz --list names them");
        }

        using var stopping = new Stopping();
        long inputsMax = inputs ?? (minutes is null ? InputsDefault : long.MaxValue);
        TimeSpan duration = minutes is { } limit ? TimeSpan.FromMinutes(limit) : TimeSpan.MaxValue;
        if (!isJson)
        {
            Console.WriteLine($"{"parser",-17} {"inputs",10} {"a second",9} {"outcomes",8} {"most allocated",15} {"longest",9}  failures");
        }

        int failed = 0;
        foreach (Parser parser in Parsers.All.Where(p => names.Length == 0 || names.Contains(p.Name)))
        {
            if (stopping.Token.IsCancellationRequested)
            {
                break;
            }

            FuzzResult result = new FuzzEngine(parser.Name, parser.Create, seed).Run(inputsMax, duration, stopping.Token);
            failed += result.Findings.Count;
            Tell(result, isJson);
        }

        return failed == 0 ? ExitCode.Success : ExitCode.Failed;
    }

    private static void Tell(FuzzResult r, bool isJson)
    {
        if (isJson)
        {
            Console.WriteLine(JsonSerializer.Serialize(r, _json));
            return;
        }

        Console.WriteLine(
            $"{r.Parser,-17} {r.Inputs,10} {r.InputsPerSecond,9:0} {r.Outcomes,8} {r.AllocatedBytesMax,13} B {r.MillisecondsMax,6:0.0} ms  "
            + r.Findings.Count);
        foreach (FuzzFinding finding in r.Findings)
        {
            Console.WriteLine($"  FAILED {finding.What}");
            Console.WriteLine($"    seed {finding.Seed}, input {finding.Input}: {finding.Hex}");
            Console.WriteLine(finding.Smallest is null ? "    only after the inputs before it" : $"    smallest: {finding.Smallest}");
        }
    }

    private static void Require(bool condition, string message)
    {
        if (!condition)
        {
            throw new CommandFailure(message, ExitCode.Usage);
        }
    }
}
