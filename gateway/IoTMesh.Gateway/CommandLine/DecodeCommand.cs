using System.CommandLine;
using IoTMesh.Core;

namespace IoTMesh.Gateway.CommandLine;

/// <summary><c>iotmesh decode</c>: a frame field by field.</summary>
internal static class DecodeCommand
{
    internal static Command Create()
    {
        var hex = new Argument<string[]>("HEX") { Description = "The link frame; blanks and colons are ignored.", Arity = ArgumentArity.OneOrMore };
        var key = new Option<string?>("--key") { Description = "Network key, 32 hex digits: checks the hop tag.", HelpName = "HEX" };
        var epoch = new Option<uint>("--epoch")
        {
            Description = "Number of that key.",
            HelpName = "N",
            DefaultValueFactory = _ => Service.KeyKeeper.FirstEpoch,
        };
        var counter = new Option<ushort>("--counter-high")
        {
            Description = "High half of the frame counter, which data frames leave out.",
            HelpName = "N",
        };
        var command = new Command("decode", "Shows a frame field by field.") { hex, key, epoch, counter };
        HelpWithExamples.Add(command, """
            The fields are those of docs/protocol.md. Ends with 1 where the frame is not well formed.
            """, "iotmesh decode 11 02 00 ...", "iotmesh decode 110200... --key 00112233445566778899aabbccddeeff");
        command.SetAction(parse => Run(
            string.Concat(parse.GetRequiredValue(hex)), parse.GetValue(key), parse.GetValue(epoch), parse.GetValue(counter)));
        return command;
    }

    private static int Run(string hex, string? key, uint epoch, ushort counterHigh)
    {
        byte[] frame = ParseHex("frame", hex);
        byte[]? networkKey = key is null ? null : ParseHex("--key", key);
        if (networkKey is not null && networkKey.Length != 16)
        {
            throw new CommandFailure($"--key: 32 hex digits are needed, there are {2 * networkKey.Length}", ExitCode.Usage);
        }

        FrameInspector inspector = FrameInspector.Decode(frame, networkKey, epoch, counterHigh);
        int width = inspector.Fields.Select(f => f.Name.Length).DefaultIfEmpty(0).Max();
        foreach (FrameField field in inspector.Fields)
        {
            string bytes = Convert.ToHexStringLower(frame, field.Offset, Math.Min(field.Length, frame.Length - field.Offset));
            Console.WriteLine($"{field.Offset,4} {field.Length,3}  {field.Name.PadRight(width)}  {field.Value}  [{bytes}]");
        }

        if (inspector.Problem is null)
        {
            return ExitCode.Success;
        }

        Console.Error.WriteLine("iotmesh: " + inspector.Problem);
        return ExitCode.Failed;
    }

    private static byte[] ParseHex(string what, string text)
    {
        string digits = string.Concat(text.Where(c => c is not (' ' or ':' or '-' or '\n' or '\r' or '\t')));
        if (digits.Length == 0 || digits.Length % 2 != 0 || !digits.All(char.IsAsciiHexDigit))
        {
            throw new CommandFailure($"{what}: an even number of hex digits is needed", ExitCode.Usage);
        }

        return Convert.FromHexString(digits);
    }
}
