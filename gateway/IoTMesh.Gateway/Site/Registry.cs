using System.Buffers.Binary;
using System.Collections.Frozen;
using System.Security.Cryptography;
using System.Text;
using IoTMesh.Core;
using IoTMesh.Gateway.Settings;
using IoTMesh.Gateway.Storage;

namespace IoTMesh.Gateway.Site;

/// <summary>The enrolled devices and their keys, in memory: an immutable picture that any thread reads without waiting.</summary>
public sealed class Registry(byte[] siteSecret) : IDeviceKeys
{
    private readonly PlatformCrypto _crypto = new();
    private readonly Lock _gate = new();
    private volatile Picture _picture = new([], new Dictionary<ushort, byte[]>());

    private sealed class Picture
    {
        internal Picture(IReadOnlyList<Device> devices, IReadOnlyDictionary<ushort, byte[]> keys)
        {
            Devices = devices;
            Keys = keys.ToFrozenDictionary();
            ByAddress = devices.ToFrozenDictionary(d => d.Address);
            ById = devices.ToFrozenDictionary(d => d.Id);
        }

        internal IReadOnlyList<Device> Devices { get; }

        internal FrozenDictionary<ushort, byte[]> Keys { get; }

        internal FrozenDictionary<ushort, Device> ByAddress { get; }

        internal FrozenDictionary<string, Device> ById { get; }
    }

    /// <summary>Devices came, went or changed. Raised on the thread that called <see cref="Replace"/>.</summary>
    public event Action<IReadOnlyList<Device>>? Changed;

    public IReadOnlyList<Device> Devices => _picture.Devices;

    public Device? Find(ushort address)
    {
        return _picture.ByAddress.GetValueOrDefault(address);
    }

    public Device? Find(string id)
    {
        return _picture.ById.GetValueOrDefault(id);
    }

    public bool TryGetDeviceKey(ushort address, byte[] key)
    {
        if (!_picture.Keys.TryGetValue(address, out byte[]? own))
        {
            return false;
        }

        own.CopyTo(key, 0);
        return true;
    }

    public JoinVerdict MayJoin(ushort address)
    {
        return _picture.Keys.ContainsKey(address) ? JoinVerdict.Accepted : JoinVerdict.NotEnrolled;
    }

    public bool TryGetNetworkKey(uint epoch, byte[] key)
    {
        SiteKeys.CreateNetworkKey(_crypto, siteSecret, epoch).CopyTo(key, 0);
        return true;
    }

    /// <summary>Takes over what the database says; derives the keys of devices that are new.</summary>
    public void Replace(IReadOnlyList<Device> devices)
    {
        lock (_gate)
        {
            Picture old = _picture;
            var keys = new Dictionary<ushort, byte[]>();
            foreach (Device device in devices)
            {
                keys[device.Address] = old.Keys.GetValueOrDefault(device.Address) ?? SiteKeys.CreateDeviceKey(_crypto, siteSecret, device.Address);
            }

            _picture = new Picture(devices, keys);
        }

        Changed?.Invoke(devices);
    }

    /// <summary>
    /// What enrolment gives a device with that address: a 64-bit id that follows from the site's secret, and a topic name that is
    /// made of its name (<c>Roof north</c> becomes <c>roof-north</c>) or is <c>node-7</c>.
    /// </summary>
    public static Device CreateDevice(byte[] siteSecret, ushort address, string? name, IReadOnlyList<Device> others)
    {
        byte[] input = [.. "iotmesh device id"u8, (byte)address, (byte)(address >> 8)];
        ulong deviceId = BinaryPrimitives.ReadUInt64LittleEndian(HMACSHA256.HashData(siteSecret, input));
        string id = Slug(name ?? "");
        if (SettingsFile.CheckId(id) is not null || others.Any(d => d.Id == id && d.Address != address))
        {
            id = $"node-{address}";
        }

        return new Device(deviceId.ToString("x16"), address, id, string.IsNullOrWhiteSpace(name) ? $"Node {address}" : name.Trim(), "", "", []);
    }

    /// <summary>Why a name for people cannot be used, or null: it must fit a node's own message and stay on one line of its settings file.</summary>
    public static string? CheckName(string name)
    {
        return name.Trim().Length == 0 || Encoding.UTF8.GetByteCount(name.Trim()) > NodeInfoCodec.MaxNameLength || name.Trim().Any(char.IsControl)
            ? $"name must have 1 to {NodeInfoCodec.MaxNameLength} bytes of UTF-8 and no control characters"
            : null;
    }

    private static string Slug(string name)
    {
        var slug = new StringBuilder();
        foreach (char c in name.ToLowerInvariant())
        {
            if (char.IsAsciiLetterOrDigit(c))
            {
                slug.Append(c);
            }
            else if (slug.Length > 0 && slug[^1] != '-')
            {
                slug.Append('-');
            }
        }

        return slug.ToString().Trim('-');
    }
}
