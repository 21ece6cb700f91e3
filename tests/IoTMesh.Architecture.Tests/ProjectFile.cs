using System.Xml.Linq;

namespace IoTMesh.Architecture.Tests;

/// <summary>What a .csproj or .nfproj says, read as XML without evaluating it.</summary>
internal sealed class ProjectFile
{
    private readonly XDocument _xml;

    private ProjectFile(string path)
    {
        Path = path;
        _xml = XDocument.Parse(Repository.Read(path));
    }

    public static IReadOnlyList<ProjectFile> All { get; } = [.. Repository.WithExtension(".csproj", ".nfproj").Select(path => new ProjectFile(path))];

    public static IEnumerable<ProjectFile> Device => All.Where(project => project.IsDevice);

    public static IEnumerable<ProjectFile> Declarations => All.Where(project => project.IsDeclaration);

    /// <summary>Relative to the root, forward slashes.</summary>
    public string Path { get; }

    /// <summary>The file's name without extension.</summary>
    public string Name => System.IO.Path.GetFileNameWithoutExtension(Path);

    public string Folder => System.IO.Path.GetDirectoryName(Path)!.Replace('\\', '/');

    /// <summary>Built for the device: a .nfproj.</summary>
    public bool IsDevice => Path.EndsWith(".nfproj", StringComparison.Ordinal);

    /// <summary>Signature-only declarations of the device's libraries.</summary>
    public bool IsDeclaration => Path.StartsWith("firmware/corlib/", StringComparison.Ordinal)
        || Path.StartsWith("firmware/device-apis/", StringComparison.Ordinal);

    public bool IsTest => Path.StartsWith("tests/", StringComparison.Ordinal);

    public bool IsExecutable => Property("OutputType") == "Exe";

    public string AssemblyName => Property("AssemblyName") ?? Name;

    /// <summary>Paths of the projects it references, relative to the root.</summary>
    public IEnumerable<string> ProjectReferences => Items("ProjectReference").Concat(Items("NanoProjectReference"))
        .Select(item => Repository.Relative(System.IO.Path.Combine(Repository.Root, Folder, Include(item))));

    public string? Property(string name) => _xml.Descendants().LastOrDefault(element => element.Name.LocalName == name)?.Value;

    public IEnumerable<XElement> Items(string name) => _xml.Descendants()
        .Where(element => element.Name.LocalName == name && element.Attribute("Include") != null);

    public static string Include(XElement item) => item.Attribute("Include")!.Value.Replace('\\', '/');

    /// <summary>Path of the assembly that the running configuration built, absolute.</summary>
    public string OutputPath
    {
        get
        {
            string path = Repository.Absolute($"{Folder}/bin/{System.IO.Path.GetExtension(Path)[1..]}/{Configuration}/{AssemblyName}");
            return File.Exists(path + ".exe") ? path + ".exe" : path + ".dll";
        }
    }

    public override string ToString() => Path;

#if DEBUG
    private const string Configuration = "Debug";
#else
    private const string Configuration = "Release";
#endif
}
