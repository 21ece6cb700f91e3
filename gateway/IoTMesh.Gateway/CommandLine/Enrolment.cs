using System.Globalization;
using IoTMesh.Core;
using IoTMesh.Gateway.Settings;
using IoTMesh.Gateway.Site;
using IoTMesh.Gateway.Storage;
using IoTMesh.Node;

namespace IoTMesh.Gateway.CommandLine;

/// <summary>Enrols devices in a site's registry, beside a running gateway too, and derives their settings.</summary>
internal static class Enrolment
{
    /// <summary>Enrols those of the addresses that are not yet; the devices in the order of the addresses.</summary>
    internal static async Task<IReadOnlyList<(Device Device, bool IsNew)>> EnrolAsync(SiteFolder site, IReadOnlyList<ushort> addresses, string? name)
    {
        using var store = new GatewayStore(site.Database, _ => null, TimeProvider.System);
        store.Start();
        var known = store.LoadDevices().ToList();
        var enrolled = new List<(Device, bool)>();
        foreach (ushort address in addresses)
        {
            Device? device = known.FirstOrDefault(d => d.Address == address);
            bool isNew = device is null;
            if (device is null)
            {
                device = Registry.CreateDevice(site.Secret, address, name, known);
                await store.SaveDeviceAsync(device);
                known.Add(device);
            }

            enrolled.Add((device, isNew));
        }

        return enrolled;
    }

    /// <summary>What the device must know: address, id, name and its keys.</summary>
    internal static NodeSettings CreateSettings(byte[] siteSecret, Device device)
    {
        var crypto = new PlatformCrypto();
        return new NodeSettings
        {
            Address = device.Address,
            DeviceId = ulong.Parse(device.DeviceId, NumberStyles.HexNumber, CultureInfo.InvariantCulture),
            Name = device.Name,
            NetworkId = SiteKeys.CreateNetworkId(crypto, siteSecret),
            DeviceKey = SiteKeys.CreateDeviceKey(crypto, siteSecret, device.Address),
            PairwiseShare = PairwiseKeys.CreateShare(crypto, siteSecret, device.Address),
        };
    }

    /// <summary>Reads <c>7</c>, <c>2-7</c> or <c>2,5,9-12</c>.</summary>
    internal static IReadOnlyList<ushort> ParseAddresses(string text)
    {
        var addresses = new List<ushort>();
        foreach (string part in text.Split(','))
        {
            string[] ends = part.Split('-', 2);
            if (!ushort.TryParse(ends[0], NumberStyles.None, CultureInfo.InvariantCulture, out ushort first)
                || !ushort.TryParse(ends[^1], NumberStyles.None, CultureInfo.InvariantCulture, out ushort last)
                || !MeshAddress.IsUnicast(first) || !MeshAddress.IsUnicast(last) || last < first)
            {
                throw new CommandFailure($"\"{text}\" is no address: give 7, 2-7 or 2,5,9-12, each from 1 to 65519", ExitCode.Usage);
            }

            addresses.AddRange(Enumerable.Range(first, last - first + 1).Select(a => (ushort)a));
        }

        return addresses;
    }

    /// <summary>The site's folder: the one named, $IOTMESH_DATA or the user's.</summary>
    internal static string FolderOf(string? data)
    {
        return data ?? GatewaySettings.DefaultDataFolder();
    }
}
