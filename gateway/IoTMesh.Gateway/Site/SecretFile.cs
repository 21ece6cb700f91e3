using System.Text;

namespace IoTMesh.Gateway.Site;

/// <summary>Files that only their owner may read.</summary>
public static class SecretFile
{
    private const UnixFileMode OwnerFile = UnixFileMode.UserRead | UnixFileMode.UserWrite;
    private const UnixFileMode Others = UnixFileMode.GroupRead | UnixFileMode.GroupWrite | UnixFileMode.OtherRead | UnixFileMode.OtherWrite;

    /// <summary>Writes a text; replaces an older one in one step.</summary>
    public static void Write(string file, string text)
    {
        File.Move(WriteTemporary(file, Encoding.UTF8.GetBytes(text)), file, overwrite: true);
    }

    /// <summary>Writes bytes; replaces older ones in one step.</summary>
    public static void Write(string file, byte[] bytes)
    {
        File.Move(WriteTemporary(file, bytes), file, overwrite: true);
    }

    /// <summary>Writes a text where no file is. False: there was one, perhaps made by another process meanwhile; it stays.</summary>
    internal static bool Create(string file, string text)
    {
        string temporary = WriteTemporary(file, Encoding.UTF8.GetBytes(text));
        try
        {
            File.Move(temporary, file, overwrite: false);
            return true;
        }
        catch (IOException) when (File.Exists(file))
        {
            File.Delete(temporary);
            return false;
        }
    }

    /// <summary>Throws where others than the owner could read or write the file.</summary>
    internal static void CheckMode(string file)
    {
        if (!OperatingSystem.IsWindows() && (File.GetUnixFileMode(file) & Others) != 0)
        {
            throw new SiteException($"{file}: can be read by others; make it private with: chmod 600 {file}");
        }
    }

    /// <summary>Reads a secret of the site; one that is still plain (64 hex digits) is sealed in its place.</summary>
    /// <param name="isMoved">True for a file from elsewhere: it is left as it is.</param>
    internal static byte[] Read(string file, SecretBox box, bool isMoved = false)
    {
        CheckMode(file);
        string text = File.ReadAllText(file).Trim();
        string name = NameOf(file, isMoved);
        if (SecretBox.ReadText(text) is { } bytes)
        {
            return Explained(file, () => box.Open(bytes, name));
        }

        if (!IsPlain(text))
        {
            throw new SiteException($"{file}: is damaged (64 hex digits or a sealed secret expected); restore it from a backup, keys depend on it");
        }

        byte[] secret = Convert.FromHexString(text);
        if (!isMoved)
        {
            Write(file, box.SealText(secret, name));
        }

        return secret;
    }

    /// <summary>True where the file holds a secret that was sealed.</summary>
    internal static bool IsSealed(string file)
    {
        return File.Exists(file) && SecretBox.ReadText(File.ReadAllText(file).Trim()) is not null;
    }

    internal static FileStreamOptions OwnerOptions(FileMode mode)
    {
        var options = new FileStreamOptions { Mode = mode, Access = FileAccess.ReadWrite, Share = FileShare.None };
        if (!OperatingSystem.IsWindows() && mode != FileMode.Open)
        {
            options.UnixCreateMode = OwnerFile;
        }

        return options;
    }

    // The owner's secret may have another name by now; it was sealed as what it is.
    private static string NameOf(string file, bool isMoved)
    {
        return isMoved ? SiteFolder.OwnerSecretName : Path.GetFileName(file);
    }

    private static bool IsPlain(string text)
    {
        return text.Length == 2 * SiteFolder.SecretLength && text.All(char.IsAsciiHexDigit);
    }

    private static byte[] Explained(string file, Func<byte[]> open)
    {
        try
        {
            return open();
        }
        catch (SiteException e)
        {
            throw new SiteException(Path.Combine(Path.GetDirectoryName(file) ?? "", e.Message));
        }
    }

    private static string WriteTemporary(string file, byte[] bytes)
    {
        string temporary = file + "." + Guid.NewGuid().ToString("N") + ".tmp";
        using var stream = new FileStream(temporary, OwnerOptions(FileMode.CreateNew));
        stream.Write(bytes);
        stream.Flush(flushToDisk: true);
        return temporary;
    }
}
