using System.CommandLine;
using IoTMesh.Gateway.Site;
using IoTMesh.Gateway.Storage;

namespace IoTMesh.Gateway.CommandLine;

/// <summary>
/// What commands on a site's data folder have in common. They work beside a running gateway, which looks into the database each second.
/// </summary>
internal static class SiteOptions
{
    /// <summary>Who the audit says did it.</summary>
    internal static string Who => $"cli {Environment.UserName}";

    internal static Option<string?> Data()
    {
        return new Option<string?>("--data")
        {
            Description = "The site's data folder; $IOTMESH_DATA or the user's where not given.",
            HelpName = "DIR",
        };
    }

    internal static Option<string?> Key()
    {
        return new Option<string?>("--key")
        {
            Description = $"The file with the key that opens the site's secrets; ${SecretBox.KeyVariable}, systemd's credential or site.key else.",
            HelpName = "FILE",
        };
    }

    /// <summary>Opens the registry of a site that exists.</summary>
    internal static GatewayStore OpenStore(string? data)
    {
        string folder = Enrolment.FolderOf(data);
        string file = Path.Combine(folder, "gateway.db");
        if (!File.Exists(file))
        {
            throw new SiteException($"{folder}: no site here (gateway.db is missing); name its folder with --data");
        }

        var store = new GatewayStore(file, _ => null, TimeProvider.System);
        store.Start();
        return store;
    }

    /// <summary>Asks, unless that was agreed to; throws where the answer is no.</summary>
    internal static void Confirm(bool isAgreed, string question)
    {
        if (isAgreed)
        {
            return;
        }

        Console.Write($"{question} [y/N] ");
        if (Console.ReadLine()?.Trim() is not ("y" or "Y" or "yes"))
        {
            throw new CommandFailure("nothing was changed (--yes does it without asking)", ExitCode.Failed);
        }
    }

    /// <summary>The device with that id or address.</summary>
    internal static Device Find(GatewayStore store, string node)
    {
        IReadOnlyList<Device> devices = store.LoadDevices();
        return devices.FirstOrDefault(d => d.Id == node) ?? devices.FirstOrDefault(d => d.Address.ToString() == node)
            ?? throw new CommandFailure($"no node {node} in this site", ExitCode.Usage);
    }
}
