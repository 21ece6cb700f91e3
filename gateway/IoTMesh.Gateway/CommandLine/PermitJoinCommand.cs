using System.CommandLine;
using IoTMesh.Gateway.Site;
using IoTMesh.Gateway.Storage;

namespace IoTMesh.Gateway.CommandLine;

/// <summary><c>iotmesh permit-join</c>: opens or closes the window in which enrolled devices may join for the first time.</summary>
internal static class PermitJoinCommand
{
    internal static Command Create()
    {
        var nodes = new Argument<string[]>("NODE") { Description = "Ids or addresses; all where none is given.", Arity = ArgumentArity.ZeroOrMore };
        var minutes = new Option<int>("--minutes")
        {
            Description = $"How long, 1 to {JoinWindow.MinutesMax}.",
            HelpName = "N",
            DefaultValueFactory = _ => JoinWindow.DefaultMinutes,
        };
        var close = new Option<bool>("--close") { Description = "Nobody new joins from now on." };
        Option<string?> data = SiteOptions.Data();
        var command = new Command("permit-join", "Lets enrolled devices join for the first time, for a while.") { nodes, minutes, close, data };
        HelpWithExamples.Add(command, """
            To enroll a device opens its window for a day. A device that has joined once joins again whenever it has to, until it is revoked.
            """, "iotmesh permit-join", "iotmesh permit-join roof-north 9 --minutes 10", "iotmesh permit-join --close");
        command.SetAction(parse => RunAsync(
            parse.GetValue(nodes) ?? [], parse.GetValue(minutes), parse.GetValue(close), parse.GetValue(data)));
        return command;
    }

    private static async Task<int> RunAsync(string[] nodes, int minutes, bool isClosing, string? data)
    {
        if (minutes is < 1 or > JoinWindow.MinutesMax)
        {
            throw new CommandFailure($"--minutes: 1 to {JoinWindow.MinutesMax}, is {minutes}", ExitCode.Usage);
        }

        using GatewayStore store = SiteOptions.OpenStore(data);
        IReadOnlyList<Device>? chosen = nodes is [] or ["all"] ? null : [.. nodes.Select(n => SiteOptions.Find(store, n))];
        JoinWindowResult result = await JoinWindow.SetAsync(
            store, store.LoadDevices(), store.LoadMemberships(), chosen, isClosing ? 0 : minutes, SiteOptions.Who, TimeProvider.System, default);
        Console.WriteLine(result.Describe());
        return ExitCode.Success;
    }
}
