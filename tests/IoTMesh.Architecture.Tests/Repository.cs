namespace IoTMesh.Architecture.Tests;

/// <summary>The checked-out tree that the tests look at.</summary>
internal static class Repository
{
    private static readonly string[] _generatedFolders =
        ["bin", "obj", ".git", ".vs", ".idea", "packages", "node_modules", "TestResults", "BenchmarkDotNet.Artifacts"];

    /// <summary>Absolute path of the folder that holds IoTMesh.sln.</summary>
    public static string Root { get; } = FindRoot();

    /// <summary>Paths of all files below the root that are not build output, relative, with forward slashes, sorted.</summary>
    public static IReadOnlyList<string> Files { get; } = [.. Walk(Root).Select(Relative).Order(StringComparer.Ordinal)];

    public static IEnumerable<string> WithExtension(params string[] extensions)
    {
        return Files.Where(file => extensions.Contains(Path.GetExtension(file)));
    }

    public static string Read(string relativePath) => File.ReadAllText(Absolute(relativePath));

    public static string Absolute(string relativePath) => Path.GetFullPath(Path.Combine(Root, relativePath));

    public static string Relative(string absolutePath) => Path.GetRelativePath(Root, absolutePath).Replace('\\', '/');

    private static string FindRoot()
    {
        for (DirectoryInfo? at = new(AppContext.BaseDirectory); at != null; at = at.Parent)
        {
            if (File.Exists(Path.Combine(at.FullName, "IoTMesh.sln")))
            {
                return at.FullName;
            }
        }

        throw new InvalidOperationException($"No IoTMesh.sln above {AppContext.BaseDirectory}: run the tests from a checkout.");
    }

    private static IEnumerable<string> Walk(string folder)
    {
        IEnumerable<string> below = Directory.GetDirectories(folder)
            .Where(child => !_generatedFolders.Contains(Path.GetFileName(child)))
            .SelectMany(Walk);
        return Directory.GetFiles(folder).Where(file => Path.GetFileName(file) != ".git").Concat(below);
    }
}
