using System.CommandLine;
using IoTMesh.Gateway.Service;
using IoTMesh.Gateway.Storage;

namespace IoTMesh.Gateway.CommandLine;

/// <summary><c>iotmesh revoke</c>: takes a device's membership away.</summary>
internal static class RevokeCommand
{
    internal static Command Create()
    {
        var node = new Argument<string>("NODE") { Description = "The node's id, as topics and pages name it, or its mesh address." };
        var yes = new Option<bool>("--yes", "-y") { Description = "Does not ask." };
        Option<string?> data = SiteOptions.Data();
        var command = new Command("revoke", "Takes a stolen or lost device's membership away, for good.") { node, yes, data };
        HelpWithExamples.Add(command, """
            From then on the gateway takes nothing of it and it cannot join again; a running gateway changes the network key at once, so that
            no other node takes its frames either. iotmesh rotate-keys --status shows how far that is.
            """, "iotmesh revoke roof-north", "iotmesh revoke 7 --yes");
        command.SetAction(parse => RunAsync(parse.GetRequiredValue(node), parse.GetValue(yes), parse.GetValue(data)));
        return command;
    }

    private static async Task<int> RunAsync(string node, bool isAgreed, string? data)
    {
        using GatewayStore store = SiteOptions.OpenStore(data);
        Device device = SiteOptions.Find(store, node);
        if (store.LoadMemberships().Any(m => m.DeviceId == device.DeviceId && m.IsRevoked))
        {
            throw new CommandFailure($"{device.Id} is revoked already", ExitCode.Failed);
        }

        SiteOptions.Confirm(isAgreed, $"Revoke {device.Id} ({device.Name}, address {device.Address})? It can never join again.");
        await KeyKeeper.RevokeAsync(store, device, SiteOptions.Who, TimeProvider.System, default);
        Console.WriteLine($"{device.Id} (address {device.Address}, device {device.DeviceId}): revoked; the running gateway changes the network key");
        return ExitCode.Success;
    }
}
