using System.CommandLine;
using System.CommandLine.Help;
using System.CommandLine.Parsing;
using IoTMesh.Gateway.Http;
using IoTMesh.Gateway.Settings;
using IoTMesh.Gateway.Site;
using IoTMesh.Gateway.Storage;
using IoTMesh.Mqtt;
using IoTMesh.Simulation;

namespace IoTMesh.Gateway.CommandLine;

/// <summary>The program iotmesh. What a person did wrong ends in one line on standard error; nothing ends in a stack trace.</summary>
internal static class Cli
{
    private const string About = """
        IoTMesh: a self-healing mesh of ESP32 nodes and its gateway to MQTT.

        Start with `iotmesh demo`: a virtual mesh on this machine, with broker and web page.
        """;

    private static readonly string[] _examples =
    [
        "iotmesh demo                                  a mesh of 12 virtual nodes, http://127.0.0.1:8080/",
        "iotmesh demo --nodes 30 --loss 0.2            a larger one on a bad radio",
        "iotmesh run                                   the gateway as a service on this machine",
        "iotmesh enroll 2-7                            enrolls six nodes and writes their settings files",
        "iotmesh air --topology line --nodes 7         a radio that processes on this machine share",
        "iotmesh node --address 2 --site ~/.local/share/iotmesh",
        "iotmesh sim grid4-16-loss20 --seed 7          one run in virtual time; the same seed, the same run",
        "iotmesh trace node-7                          the way to a node, hop by hop, over the mesh",
        "iotmesh decode 11 02 00 ...                   a frame, field by field",
    ];

    internal static async Task<int> RunAsync(string[] args)
    {
        RootCommand root = Create();
        if (args.Length == 0)
        {
            await root.Parse(["--help"]).InvokeAsync();
            return ExitCode.Usage;
        }

        ParseResult result = root.Parse(args);
        if (result.Errors.Count > 0 && result.Action is not HelpWithExamples)
        {
            Console.Error.WriteLine($"iotmesh: {Describe(result.Errors)}. See: {PathOf(result.CommandResult)} --help");
            return ExitCode.Usage;
        }

        try
        {
            // The commands handle signals themselves, so that a demo ends with its summary.
            var invocation = new InvocationConfiguration { EnableDefaultExceptionHandler = false, ProcessTerminationTimeout = null };
            return await result.InvokeAsync(invocation);
        }
        catch (Exception e)
        {
            (string message, int code) = Explain(e);
            Console.Error.WriteLine("iotmesh: " + message.ReplaceLineEndings(" "));
            return code;
        }
    }

    private static (string Message, int Code) Explain(Exception e)
    {
        return e switch
        {
            CommandFailure failure => (failure.Message, failure.ExitCode),
            SettingsException or SiteException or InputException => (e.Message, ExitCode.Usage),
            PortTakenException => (e.Message, ExitCode.PortTaken),
            StorageException or MqttException => (e.Message, ExitCode.Failed),
            IOException or UnauthorizedAccessException => (e.Message, ExitCode.Failed),
            _ => ($"a defect in iotmesh, please report it: {e.GetType().Name}: {e.Message} ({Origin(e)})", ExitCode.Failed),
        };
    }

    private static string Origin(Exception e)
    {
        return e.TargetSite is { } method ? $"{method.DeclaringType?.FullName}.{method.Name}" : "unknown place";
    }

    private static RootCommand Create()
    {
        var root = new RootCommand(About)
        {
            DemoCommand.Create(),
            RunCommand.Create(),
            EnrollCommand.Create(),
            PermitJoinCommand.Create(),
            RevokeCommand.Create(),
            RemoveCommand.Create(),
            RotateKeysCommand.Create(),
            AuditCommand.Create(),
            NodeCommand.Create(),
            AirCommand.Create(),
            SimCommand.Create(),
            BenchmarkCommand.Create(),
            ParserFuzzCommand.Create(),
            DecodeCommand.Create(),
            HashPasswordCommand.Create(),
            TokenCommand.Create(),
        };
        foreach (Command question in DiagnosticCommands.Create())
        {
            root.Add(question);
        }

        foreach (HelpOption help in root.Options.OfType<HelpOption>())
        {
            help.Action = new HelpWithExamples(root, _examples);
        }

        return root;
    }

    // An unknown word says more than what is missing because of it.
    private static string Describe(IReadOnlyList<ParseError> errors)
    {
        ParseError error = errors.FirstOrDefault(e => e.Message.Contains("Unrecognized", StringComparison.Ordinal)) ?? errors[0];
        string message = error.Message.TrimEnd('.');
        int type = message.IndexOf(" as expected type", StringComparison.Ordinal);
        return type < 0 ? message : message[..type] + ": a number is needed";
    }

    private static string PathOf(CommandResult command)
    {
        return command.Parent is CommandResult parent ? $"{PathOf(parent)} {command.Command.Name}" : "iotmesh";
    }
}
