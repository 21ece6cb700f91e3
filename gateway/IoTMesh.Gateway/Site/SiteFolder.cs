using System.Security.Cryptography;
using System.Text;

namespace IoTMesh.Gateway.Site;

/// <summary>The data folder of a site: its secret, the database and the mesh core's records. Readable by its owner alone.</summary>
public sealed class SiteFolder
{
    private const int SecretLength = 32;
    private const UnixFileMode OwnerFolder = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;
    private const UnixFileMode OwnerFile = UnixFileMode.UserRead | UnixFileMode.UserWrite;
    private const UnixFileMode Others = UnixFileMode.GroupRead | UnixFileMode.GroupWrite | UnixFileMode.OtherRead | UnixFileMode.OtherWrite;

    private SiteFolder(string path, byte[] secret, bool isNew)
    {
        FullPath = path;
        Secret = secret;
        IsNew = isNew;
    }

    public string FullPath { get; }

    /// <summary>32 bytes from which all keys of the site derive. Whoever has it owns the site.</summary>
    public byte[] Secret { get; }

    /// <summary>True where this call made the secret.</summary>
    public bool IsNew { get; }

    public string Database => Path.Combine(FullPath, "gateway.db");

    /// <summary>Folder of the mesh core's records (counters).</summary>
    public string MeshRecords => Path.Combine(FullPath, "mesh");

    /// <summary>Opens the folder; creates it and a fresh secret at first use. Throws <see cref="SiteException"/> with one line.</summary>
    /// <param name="create">False: fail where there is no site yet.</param>
    public static SiteFolder Open(string path, bool create = true)
    {
        path = Path.GetFullPath(path);
        string file = Path.Combine(path, "site.secret");
        try
        {
            bool isNew = false;
            if (!File.Exists(file))
            {
                if (!create)
                {
                    throw new SiteException($"{path}: no site here (site.secret is missing); iotmesh run makes one at its first start");
                }

                isNew = Create(path, file);
            }

            CheckMode(file);
            return new SiteFolder(path, ReadSecret(file), isNew);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new SiteException($"{path}: cannot be used as data folder: {e.Message}");
        }
    }

    /// <summary>Writes a file that only its owner may read; replaces an older one in one step.</summary>
    public static void WriteOwnerFile(string file, string text)
    {
        string temporary = file + "." + Guid.NewGuid().ToString("N") + ".tmp";
        using (var stream = new FileStream(temporary, OwnerOptions(FileMode.CreateNew)))
        {
            stream.Write(Encoding.UTF8.GetBytes(text));
            stream.Flush(flushToDisk: true);
        }

        File.Move(temporary, file, overwrite: true);
    }

    /// <summary>Holds the folder against a second gateway until disposed.</summary>
    public IDisposable Lock()
    {
        try
        {
            return new FileStream(Path.Combine(FullPath, "gateway.lock"), OwnerOptions(FileMode.OpenOrCreate));
        }
        catch (IOException)
        {
            throw new SiteException(
                $"{FullPath}: another gateway uses this data folder; stop it, or choose another folder with \"data\" in the settings");
        }
    }

    private static bool Create(string path, string file)
    {
        if (OperatingSystem.IsWindows())
        {
            Directory.CreateDirectory(path);
        }
        else
        {
            Directory.CreateDirectory(path, OwnerFolder);
        }

        byte[] secret = RandomNumberGenerator.GetBytes(SecretLength);
        string temporary = file + "." + Guid.NewGuid().ToString("N") + ".tmp";
        using (var stream = new FileStream(temporary, OwnerOptions(FileMode.CreateNew)))
        {
            stream.Write(Encoding.ASCII.GetBytes(Convert.ToHexStringLower(secret) + "\n"));
            stream.Flush(flushToDisk: true);
        }

        try
        {
            // Never over a secret that another process has made meanwhile.
            File.Move(temporary, file, overwrite: false);
            return true;
        }
        catch (IOException) when (File.Exists(file))
        {
            File.Delete(temporary);
            return false;
        }
    }

    private static FileStreamOptions OwnerOptions(FileMode mode)
    {
        var options = new FileStreamOptions { Mode = mode, Access = FileAccess.ReadWrite, Share = FileShare.None };
        if (!OperatingSystem.IsWindows() && mode != FileMode.Open)
        {
            options.UnixCreateMode = OwnerFile;
        }

        return options;
    }

    private static void CheckMode(string file)
    {
        if (!OperatingSystem.IsWindows() && (File.GetUnixFileMode(file) & Others) != 0)
        {
            throw new SiteException($"{file}: can be read by others; make it private with: chmod 600 {file}");
        }
    }

    private static byte[] ReadSecret(string file)
    {
        string text = File.ReadAllText(file).Trim();
        if (text.Length != 2 * SecretLength || !text.All(char.IsAsciiHexDigit))
        {
            throw new SiteException($"{file}: is damaged (64 hex digits expected); restore it from a backup, the devices' keys depend on it");
        }

        return Convert.FromHexString(text);
    }
}

/// <summary>The site's data folder cannot be used: one line that names it.</summary>
public sealed class SiteException(string message) : Exception(message);
