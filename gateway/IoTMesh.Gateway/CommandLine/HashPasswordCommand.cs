using System.CommandLine;
using System.Text;
using IoTMesh.Gateway.Settings;

namespace IoTMesh.Gateway.CommandLine;

/// <summary><c>iotmesh hash-password</c>: the hash for the settings file.</summary>
internal static class HashPasswordCommand
{
    private const int LengthMin = 8;

    internal static Command Create()
    {
        var command = new Command("hash-password", "Prints the hash of a password or token for the settings file.");
        HelpWithExamples.Add(command, """
            Reads it from the terminal without showing it, or one line of standard input.
            """, "iotmesh hash-password", "printf '%s' \"$SECRET\" | iotmesh hash-password");
        command.SetAction(_ => Run());
        return command;
    }

    private static int Run()
    {
        string password = Console.IsInputRedirected ? Console.In.ReadLine() ?? "" : ReadHidden();
        if (password.Length < LengthMin)
        {
            throw new CommandFailure($"a password has at least {LengthMin} characters", ExitCode.Usage);
        }

        Console.WriteLine(Password.Hash(password));
        return ExitCode.Success;
    }

    private static string ReadHidden()
    {
        Console.Error.Write("Password: ");
        var text = new StringBuilder();
        while (Console.ReadKey(intercept: true) is { Key: not ConsoleKey.Enter } key)
        {
            if (key.Key == ConsoleKey.Backspace)
            {
                text.Length = Math.Max(0, text.Length - 1);
            }
            else if (key.KeyChar >= ' ')
            {
                text.Append(key.KeyChar);
            }
        }

        Console.Error.WriteLine();
        return text.ToString();
    }
}
