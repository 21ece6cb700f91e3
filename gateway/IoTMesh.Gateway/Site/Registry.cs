using System.Buffers.Binary;
using System.Collections.Frozen;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using IoTMesh.Core;
using IoTMesh.Gateway.Settings;
using IoTMesh.Gateway.Storage;

namespace IoTMesh.Gateway.Site;

/// <summary>The enrolled devices and their keys, in memory: an immutable picture that any thread reads without waiting.</summary>
/// <param name="box">Opens the devices' own secrets; null where all keys derive from the site's secret.</param>
public sealed class Registry(byte[] siteSecret, SecretBox? box = null, TimeProvider? time = null) : IDeviceKeys
{
    private readonly PlatformCrypto _crypto = new();
    private readonly TimeProvider _time = time ?? TimeProvider.System;
    private readonly Lock _gate = new();
    private volatile Picture _picture = new([], [], new Dictionary<ushort, byte[]>());

    private sealed class Picture
    {
        internal Picture(IReadOnlyList<Device> devices, IReadOnlyList<Membership> memberships, IReadOnlyDictionary<ushort, byte[]> keys)
        {
            Devices = devices;
            Memberships = memberships;
            Keys = keys.ToFrozenDictionary();
            ByAddress = devices.ToFrozenDictionary(d => d.Address);
            ById = devices.ToFrozenDictionary(d => d.Id);
            Dictionary<string, Membership> members = memberships.ToDictionary(m => m.DeviceId);
            Members = devices.Where(d => members.ContainsKey(d.DeviceId)).ToFrozenDictionary(d => d.Address, d => members[d.DeviceId]);
        }

        internal IReadOnlyList<Device> Devices { get; }

        internal IReadOnlyList<Membership> Memberships { get; }

        internal FrozenDictionary<ushort, byte[]> Keys { get; }

        internal FrozenDictionary<ushort, Membership> Members { get; }

        internal FrozenDictionary<ushort, Device> ByAddress { get; }

        internal FrozenDictionary<string, Device> ById { get; }
    }

    /// <summary>Devices came, went or changed. Raised on the thread that called <see cref="Replace"/>.</summary>
    public event Action<IReadOnlyList<Device>>? Changed;

    /// <summary>The key of that address is another now, or is no longer to be used: revoked, removed or replaced. Raised after the change.</summary>
    public event Action<ushort>? KeyDropped;

    public IReadOnlyList<Device> Devices => _picture.Devices;

    public Device? Find(ushort address)
    {
        return _picture.ByAddress.GetValueOrDefault(address);
    }

    public Device? Find(string id)
    {
        return _picture.ById.GetValueOrDefault(id);
    }

    /// <summary>A device by its id or, where no id is so, by its address as a number.</summary>
    public Device? FindEither(string text)
    {
        return Find(text) ?? (ushort.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out ushort address) ? Find(address) : null);
    }

    /// <summary>The device with that address, unless it is revoked: whose messages count.</summary>
    public Device? FindMember(ushort address)
    {
        Picture picture = _picture;
        return picture.Members.TryGetValue(address, out Membership? member) && member.IsRevoked ? null : picture.ByAddress.GetValueOrDefault(address);
    }

    /// <summary>What the owner allows a device; null where the database says nothing.</summary>
    public Membership? MembershipOf(Device device)
    {
        return _picture.Members.GetValueOrDefault(device.Address);
    }

    /// <inheritdoc/>
    public bool TryGetDeviceKey(ushort address, byte[] key)
    {
        if (!_picture.Keys.TryGetValue(address, out byte[]? own))
        {
            return false;
        }

        own.CopyTo(key, 0);
        return true;
    }

    /// <inheritdoc/>
    public JoinVerdict MayJoin(ushort address)
    {
        Picture picture = _picture;
        if (!picture.Keys.ContainsKey(address))
        {
            return JoinVerdict.NotEnrolled;
        }

        if (!picture.Members.TryGetValue(address, out Membership? member))
        {
            return JoinVerdict.Accepted;
        }

        bool isOpen = member.HasJoined || member.IsPermitted(_time.GetUtcNow().ToUnixTimeMilliseconds());
        return member.IsRevoked ? JoinVerdict.Revoked : isOpen ? JoinVerdict.Accepted : JoinVerdict.Closed;
    }

    /// <inheritdoc/>
    public bool TryGetNetworkKey(uint epoch, byte[] key)
    {
        SiteKeys.CreateNetworkKey(_crypto, siteSecret, epoch).CopyTo(key, 0);
        return true;
    }

    /// <summary>Takes over what the database says.</summary>
    public void Load(GatewayStore store)
    {
        Replace(store.LoadDevices(), store.LoadMemberships());
    }

    /// <summary>True where the database says what is known already: who is enrolled, under which names, and what each may.</summary>
    public bool IsSame(IReadOnlyList<Device> devices, IReadOnlyList<Membership> memberships)
    {
        Picture picture = _picture;
        return devices.Select(d => (d.DeviceId, d.Name)).SequenceEqual(picture.Devices.Select(d => (d.DeviceId, d.Name)))
            && memberships.Select(m => m with { SealedSecret = null }).SequenceEqual(picture.Memberships.Select(m => m with { SealedSecret = null }));
    }

    /// <summary>Takes over devices; opens or derives the keys of those that are new. Throws <see cref="SiteException"/>.</summary>
    public void Replace(IReadOnlyList<Device> devices, IReadOnlyList<Membership>? memberships = null)
    {
        var dropped = new List<ushort>();
        lock (_gate)
        {
            Picture old = _picture;
            memberships ??= old.Memberships;
            Dictionary<string, Membership> members = memberships.ToDictionary(m => m.DeviceId);
            var keys = new Dictionary<ushort, byte[]>();
            foreach (Device device in devices)
            {
                bool isSame = old.ByAddress.TryGetValue(device.Address, out Device? before) && before.DeviceId == device.DeviceId;
                keys[device.Address] = isSame ? old.Keys[device.Address] : KeyOf(device, members.GetValueOrDefault(device.DeviceId));
            }

            _picture = new Picture(devices, memberships, keys);
            dropped.AddRange(old.Keys.Keys.Where(a =>
                !keys.TryGetValue(a, out byte[]? key) || key != old.Keys[a] || (IsRevoked(_picture, a) && !IsRevoked(old, a))));
        }

        dropped.ForEach(a => KeyDropped?.Invoke(a));
        Changed?.Invoke(devices);
    }

    /// <summary>The 16-byte key of a device: its own secret, or one derived from the site's.</summary>
    public byte[] KeyOf(Device device, Membership? member)
    {
        return member?.SealedSecret is { } sealedSecret
            ? (box ?? throw new SiteException($"the secret of {device.Id} is sealed, and there is no key to open it"))
                .Open(sealedSecret, SecretName(device.DeviceId))
            : SiteKeys.CreateDeviceKey(_crypto, siteSecret, device.Address);
    }

    /// <summary>The name under which a device's secret is sealed.</summary>
    internal static string SecretName(string deviceId)
    {
        return "device " + deviceId;
    }

    private static bool IsRevoked(Picture picture, ushort address)
    {
        return picture.Members.TryGetValue(address, out Membership? member) && member.IsRevoked;
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
