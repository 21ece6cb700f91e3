using System.CommandLine;
using IoTMesh.Gateway.Service;
using IoTMesh.Gateway.Storage;

namespace IoTMesh.Gateway.CommandLine;

/// <summary><c>iotmesh remove</c>: forgets a device, so that its address is free for another.</summary>
internal static class RemoveCommand
{
    internal static Command Create()
    {
        var node = new Argument<string>("NODE") { Description = "The node's id, as topics and pages name it, or its mesh address." };
        var yes = new Option<bool>("--yes", "-y") { Description = "Does not ask." };
        Option<string?> data = SiteOptions.Data();
        var command = new Command("remove", "Forgets a device with its key and its readings.") { node, yes, data };
        HelpWithExamples.Add(command, """
            A board that lost its counters is removed and enrolled again, with a new secret. The network key is changed too, as the device knew it.
            """, "iotmesh remove node-7", "iotmesh remove 7 --yes && iotmesh enroll 7");
        command.SetAction(parse => RunAsync(parse.GetRequiredValue(node), parse.GetValue(yes), parse.GetValue(data)));
        return command;
    }

    private static async Task<int> RunAsync(string node, bool isAgreed, string? data)
    {
        using GatewayStore store = SiteOptions.OpenStore(data);
        Device device = SiteOptions.Find(store, node);
        SiteOptions.Confirm(isAgreed, $"Remove {device.Id} ({device.Name}, address {device.Address}) with its readings?");
        Membership? member = store.LoadMemberships().FirstOrDefault(m => m.DeviceId == device.DeviceId);
        await store.RemoveDeviceAsync(device);
        await store.AuditAsync(SiteOptions.Who, "remove", device.Id, $"device {device.DeviceId}");
        bool knewKey = member is { HasJoined: true, IsRevoked: false };
        if (knewKey)
        {
            await KeyKeeper.RequestRotationAsync(store, SiteOptions.Who, $"{device.Id} removed", TimeProvider.System, default);
        }

        Console.WriteLine($"{device.Id} (address {device.Address}): removed{(knewKey ? "; the running gateway changes the network key" : "")}");
        return ExitCode.Success;
    }
}
