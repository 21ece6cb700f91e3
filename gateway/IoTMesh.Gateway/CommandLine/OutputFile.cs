namespace IoTMesh.Gateway.CommandLine;

/// <summary>Files that an option names for output.</summary>
internal static class OutputFile
{
    private const int BufferBytes = 1 << 16;

    /// <summary>Makes the file, over an earlier one.</summary>
    /// <param name="option">For the message.</param>
    /// <exception cref="CommandFailure">It cannot be written.</exception>
    internal static FileStream Create(string option, string path)
    {
        try
        {
            return new FileStream(path, FileMode.Create, FileAccess.Write, FileShare.Read, BufferBytes);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or ArgumentException or NotSupportedException)
        {
            throw new CommandFailure($"{option}: cannot write {path}: {e.Message.ReplaceLineEndings(" ")}", ExitCode.Usage);
        }
    }

    /// <summary>Makes the folder where it is not there.</summary>
    /// <exception cref="CommandFailure">It cannot be made.</exception>
    internal static void CheckFolder(string option, string path)
    {
        try
        {
            Directory.CreateDirectory(path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or ArgumentException or NotSupportedException)
        {
            throw new CommandFailure($"{option}: cannot make the folder {path}: {e.Message.ReplaceLineEndings(" ")}", ExitCode.Usage);
        }
    }
}
