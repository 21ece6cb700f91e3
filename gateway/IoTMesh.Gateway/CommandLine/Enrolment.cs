using System.Globalization;
using System.Security.Cryptography;
using IoTMesh.Core;
using IoTMesh.Gateway.Settings;
using IoTMesh.Gateway.Site;
using IoTMesh.Gateway.Storage;
using IoTMesh.Node;

namespace IoTMesh.Gateway.CommandLine;

/// <summary>A device of the registry with its key.</summary>
/// <param name="IsNew">False where it was enrolled before.</param>
internal sealed record Enrolled(Device Device, bool IsNew, byte[] Key)
{
    /// <summary>Never shows the key.</summary>
    public override string ToString()
    {
        return Device.Id;
    }
}

/// <summary>Enrolls devices in a site's registry, beside a running gateway too, and makes their settings.</summary>
internal static class Enrolment
{
    private const int DeviceIdLength = 8;

    /// <summary>Enrolls those of the addresses that are not yet, each with a secret of its own; the devices in the order of the addresses.</summary>
    /// <param name="window">How long new ones may join for the first time.</param>
    internal static async Task<IReadOnlyList<Enrolled>> EnrollAsync(SiteFolder site, IReadOnlyList<ushort> addresses, string? name, TimeSpan window)
    {
        using var store = new GatewayStore(site.Database, _ => null, TimeProvider.System);
        store.Start();
        var registry = new Registry(site.Secret, site.Box);
        var known = store.LoadDevices().ToList();
        var enrolled = new List<Enrolled>();
        foreach (ushort address in addresses)
        {
            if (known.FirstOrDefault(d => d.Address == address) is { } device)
            {
                Membership? member = store.LoadMemberships().FirstOrDefault(m => m.DeviceId == device.DeviceId);
                enrolled.Add(new Enrolled(device, false, registry.KeyOf(CheckNotRevoked(device, member), member)));
                continue;
            }

            // Checked before anything is stored: a device that could not be given its settings must not stay behind.
            site.CreateShare(address);
            string id = Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(DeviceIdLength));
            device = Registry.CreateDevice(site.Secret, address, name, known) with { DeviceId = id };
            byte[] secret = RandomNumberGenerator.GetBytes(KeySchedule.KeyLength);
            await SaveAsync(store, site, device, secret, window);
            known.Add(device);
            enrolled.Add(new Enrolled(device, true, secret));
        }

        return enrolled;
    }

    /// <summary>Takes a device of this site over from its label.</summary>
    internal static async Task<Enrolled> TakeAsync(SiteFolder site, DeviceLabel label, string? name, TimeSpan window)
    {
        if (label.SiteId != DeviceLabel.SiteIdOf(site.Secret))
        {
            throw new CommandFailure($"the label is of another site ({label.SiteId}) than {site.FullPath}", ExitCode.Usage);
        }

        using var store = new GatewayStore(site.Database, _ => null, TimeProvider.System);
        store.Start();
        IReadOnlyList<Device> known = store.LoadDevices();
        if (known.FirstOrDefault(d => d.DeviceId == label.DeviceId) is { } same)
        {
            Membership? member = store.LoadMemberships().FirstOrDefault(m => m.DeviceId == same.DeviceId);
            return new Enrolled(CheckNotRevoked(same, member), false, label.Secret);
        }

        if (known.FirstOrDefault(d => d.Address == label.Address) is { } other)
        {
            throw new CommandFailure($"address {label.Address} is {other.Id}, device {other.DeviceId}: remove that one first", ExitCode.Usage);
        }

        Device device = Registry.CreateDevice(site.Secret, label.Address, name, known) with { DeviceId = label.DeviceId };
        await SaveAsync(store, site, device, label.Secret, window);
        return new Enrolled(device, true, label.Secret);
    }

    /// <summary>What the device must know: address, id, name and its keys.</summary>
    internal static NodeSettings CreateSettings(SiteFolder site, Enrolled enrolled)
    {
        return CreateSettings(site.Secret, enrolled.Device, enrolled.Key, site.CreateShare(enrolled.Device.Address));
    }

    /// <summary>The settings of a device of a site whose keys all derive from one secret: virtual ones.</summary>
    internal static NodeSettings CreateSettings(byte[] siteSecret, Device device)
    {
        var crypto = new PlatformCrypto();
        return CreateSettings(
            siteSecret, device, SiteKeys.CreateDeviceKey(crypto, siteSecret, device.Address),
            PairwiseKeys.CreateShare(crypto, siteSecret, device.Address));
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

    private static NodeSettings CreateSettings(byte[] siteSecret, Device device, byte[] key, byte[] share)
    {
        return new NodeSettings
        {
            Address = device.Address,
            DeviceId = ulong.Parse(device.DeviceId, NumberStyles.HexNumber, CultureInfo.InvariantCulture),
            Name = device.Name,
            NetworkId = SiteKeys.CreateNetworkId(new PlatformCrypto(), siteSecret),
            DeviceKey = key,
            PairwiseShare = share,
        };
    }

    private static Device CheckNotRevoked(Device device, Membership? member)
    {
        return member is { IsRevoked: true }
            ? throw new CommandFailure($"{device.Id} (address {device.Address}) is revoked: remove it first, or take another address", ExitCode.Usage)
            : device;
    }

    private static async Task SaveAsync(GatewayStore store, SiteFolder site, Device device, byte[] secret, TimeSpan window)
    {
        long untilMs = (TimeProvider.System.GetUtcNow() + window).ToUnixTimeMilliseconds();
        await store.EnrollAsync(device, site.Box.Seal(secret, Registry.SecretName(device.DeviceId)), untilMs);
        await store.AuditAsync(SiteOptions.Who, "enroll", device.Id, $"address {device.Address}, device {device.DeviceId}");
    }
}
