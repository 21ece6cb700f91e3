namespace IoTMesh.Architecture.Tests;

/// <summary>
/// The public surface of the device's real libraries as text, a file an assembly: "# assembly" and its version, then a type
/// a line with its members indented below it.
/// </summary>
internal sealed class ApiList
{
    /// <summary>Environment variable that names the folder of the lists.</summary>
    public const string Variable = "IOTMESH_NANO_API";

    private readonly Dictionary<string, Dictionary<string, ApiType>> _typesByAssembly = [];

    private ApiList()
    {
    }

    /// <summary>The folder, or null where the variable is not set.</summary>
    public static string? Folder => Environment.GetEnvironmentVariable(Variable) is { Length: > 0 } folder ? folder : null;

    public static ApiList Load(string folder)
    {
        ApiList list = new();
        foreach (string file in Directory.GetFiles(folder, "*.txt"))
        {
            list.Add(Path.GetFileNameWithoutExtension(file), File.ReadAllLines(file));
        }

        return list;
    }

    /// <summary>The assembly's types by full name (nested ones with a dot), or null where it is not listed.</summary>
    public IReadOnlyDictionary<string, ApiType>? TypesOf(string assembly) => _typesByAssembly.GetValueOrDefault(assembly);

    private void Add(string name, string[] lines)
    {
        Dictionary<string, ApiType>? types = null;
        ApiType? type = null;
        foreach (string line in lines)
        {
            if (line.StartsWith("# assembly ", StringComparison.Ordinal))
            {
                types = _typesByAssembly[name] = [];
            }
            else if (types != null && line.StartsWith("  ", StringComparison.Ordinal))
            {
                type!.Members.Add(line.Trim());
            }
            else if (types != null && line.Length > 0)
            {
                type = ApiType.Parse(line);
                types[type.Name] = type;
            }
        }
    }
}

/// <summary>A type of the lists, or one rendered from a declaration in the same form.</summary>
/// <param name="Kind">With its modifiers, for instance "sealed class".</param>
/// <param name="Name">Full name.</param>
/// <param name="Bases">Base class and interfaces.</param>
internal sealed record ApiType(string Kind, string Name, string[] Bases)
{
    /// <summary>One line a member; of an enum one line with all values.</summary>
    public HashSet<string> Members { get; } = [];

    /// <summary>Reads a header such as "sealed class A.B : A.C, A.ID".</summary>
    public static ApiType Parse(string line)
    {
        string[] halves = line.Split(" : ", 2);
        int space = halves[0].LastIndexOf(' ');
        return new ApiType(halves[0][..space], halves[0][(space + 1)..], halves.Length > 1 ? halves[1].Split(", ") : []);
    }
}
