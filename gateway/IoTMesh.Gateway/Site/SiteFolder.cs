using System.Buffers.Binary;
using System.Security.Cryptography;
using IoTMesh.Core;

namespace IoTMesh.Gateway.Site;

/// <summary>
/// The data folder of a site: its secrets, sealed; the database; the mesh core's records. Readable by its owner alone. Keys between two nodes
/// come from <c>owner.secret</c>, which the owner may keep elsewhere: the gateway then has its own share, and no other's.
/// </summary>
public sealed class SiteFolder
{
    public const string OwnerSecretName = "owner.secret";

    internal const int SecretLength = 32;
    private const string ShareName = "gateway.share";
    private const UnixFileMode OwnerFolder = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;

    // A byte behind the site's secret: the owner has a secret of his own. Sites made before have 32 bytes and no such secret.
    private const byte HasOwnerSecret = 1;

    private readonly byte[]? _pairSecret;

    private SiteFolder(string path, SecretBox box, byte[] secret, byte[]? pairSecret, bool isNew)
    {
        FullPath = path;
        Box = box;
        Secret = secret;
        _pairSecret = pairSecret;
        IsNew = isNew;
    }

    public string FullPath { get; }

    /// <summary>Seals and opens the secrets of this site.</summary>
    public SecretBox Box { get; }

    /// <summary>32 bytes from which the network keys derive. Whoever has it can read and send as a member of the site.</summary>
    public byte[] Secret { get; }

    /// <summary>True where this call made the secret.</summary>
    public bool IsNew { get; }

    /// <summary>True where this folder can make keys for new devices: false while the owner keeps owner.secret elsewhere.</summary>
    public bool CanEnroll => _pairSecret is not null;

    public string Database => Path.Combine(FullPath, "gateway.db");

    /// <summary>Folder of the mesh core's records (counters, network keys).</summary>
    public string MeshRecords => Path.Combine(FullPath, "mesh");

    /// <summary>Opens the folder; creates it and fresh secrets at first use. Throws <see cref="SiteException"/> with one line.</summary>
    /// <param name="create">False: fail where there is no site yet.</param>
    /// <param name="keyFile">The file with the key of the secrets, or null, see <see cref="SecretBox"/>.</param>
    /// <param name="ownerFile">Where the owner's secret is if not here, or null.</param>
    public static SiteFolder Open(string path, bool create = true, string? keyFile = null, string? ownerFile = null)
    {
        path = Path.GetFullPath(path);
        string file = Path.Combine(path, "site.secret");
        try
        {
            bool isThere = File.Exists(file);
            if (!isThere && !create)
            {
                throw new SiteException($"{path}: no site here (site.secret is missing); iotmesh run makes one at its first start");
            }

            if (isThere)
            {
                SecretFile.CheckMode(file);
            }
            else
            {
                CreateFolder(path);
            }

            SecretBox box = SecretBox.Open(path, keyFile, mayCreate: !SecretFile.IsSealed(file));
            bool isNew = !isThere && Create(path, file, box);
            byte[] secret = SecretFile.Read(file, box);
            byte[]? pairSecret = PairSecret(path, secret, box, ownerFile);
            return new SiteFolder(path, box, secret[..SecretLength], pairSecret, isNew);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new SiteException($"{path}: cannot be used as data folder: {e.Message}");
        }
    }

    /// <summary>Holds the folder against a second gateway until disposed.</summary>
    public IDisposable Lock()
    {
        try
        {
            return new FileStream(Path.Combine(FullPath, "gateway.lock"), SecretFile.OwnerOptions(FileMode.OpenOrCreate));
        }
        catch (IOException)
        {
            throw new SiteException(
                $"{FullPath}: another gateway uses this data folder; stop it, or choose another folder with \"data\" in the settings");
        }
    }

    /// <summary>
    /// The gateway's own share of the keys between two nodes (protocol.md 8.3). It is kept in the folder, so that the owner's secret can leave.
    /// </summary>
    public byte[] GatewayShare(ushort address)
    {
        string file = Path.Combine(FullPath, ShareName);
        if (_pairSecret is not null)
        {
            byte[] share = CreateShare(address);
            var record = new byte[2 + share.Length];
            BinaryPrimitives.WriteUInt16LittleEndian(record, address);
            share.CopyTo(record, 2);
            SecretFile.Write(file, Box.SealText(record, ShareName));
            return share;
        }

        if (File.Exists(file))
        {
            byte[] record = SecretFile.Read(file, Box);
            if (record.Length == 2 + PairwiseKeys.ShareLength && BinaryPrimitives.ReadUInt16LittleEndian(record) == address)
            {
                return record[2..];
            }
        }

        throw new SiteException(
            $"{file}: has no share for address {address}, and {OwnerSecretName} is not here: put it back for one start of the gateway");
    }

    /// <summary>A node's share of the keys between two nodes. Throws where the owner's secret is not here.</summary>
    public byte[] CreateShare(ushort address)
    {
        return PairwiseKeys.CreateShare(
            new PlatformCrypto(),
            _pairSecret ?? throw new SiteException(
                $"{FullPath}: a device's keys with other nodes come from {OwnerSecretName}, which is kept elsewhere: name it with --owner FILE"),
            address);
    }

    private static byte[]? PairSecret(string path, byte[] secret, SecretBox box, string? ownerFile)
    {
        string own = Path.Combine(path, OwnerSecretName);
        bool isSeparate = secret.Length == SecretLength + 1 && secret[SecretLength] == HasOwnerSecret;
        if (!isSeparate)
        {
            return ownerFile is null
                ? secret
                : throw new SiteException($"{path}: this site was made before owner secrets; its keys between nodes come from site.secret");
        }

        if (ownerFile is not null)
        {
            byte[] given = SecretFile.Read(ownerFile, box, isMoved: true);
            CheckOwner(ownerFile, given, path, box);
            return given;
        }

        return File.Exists(own) ? SecretFile.Read(own, box) : null;
    }

    // A wrong secret would make a device that no other understands: the gateway's own share tells.
    private static void CheckOwner(string file, byte[] secret, string path, SecretBox box)
    {
        string share = Path.Combine(path, ShareName);
        if (!File.Exists(share))
        {
            return;
        }

        byte[] record = SecretFile.Read(share, box);
        ushort address = BinaryPrimitives.ReadUInt16LittleEndian(record);
        if (!CryptographicOperations.FixedTimeEquals(PairwiseKeys.CreateShare(new PlatformCrypto(), secret, address), record.AsSpan(2)))
        {
            throw new SiteException($"{file}: is the owner's secret of another site");
        }
    }

    private static void CreateFolder(string path)
    {
        if (OperatingSystem.IsWindows())
        {
            Directory.CreateDirectory(path);
        }
        else
        {
            Directory.CreateDirectory(path, OwnerFolder);
        }
    }

    private static bool Create(string path, string file, SecretBox box)
    {
        // The owner's first: where this is cut short, the next start finds it and no site yet.
        SecretFile.Create(
            Path.Combine(path, OwnerSecretName), box.SealText(RandomNumberGenerator.GetBytes(SecretLength), OwnerSecretName));
        byte[] secret = [.. RandomNumberGenerator.GetBytes(SecretLength), HasOwnerSecret];
        return SecretFile.Create(file, box.SealText(secret, "site.secret"));
    }
}

/// <summary>The site's data folder cannot be used: one line that names it.</summary>
public sealed class SiteException(string message) : Exception(message);
