namespace IoTMesh.Core.Tests.Telemetry;

/// <summary>One section of tests/vectors/telemetry.txt.</summary>
public sealed record TelemetryVector(string Kind, string Name, byte[] Bytes, IReadOnlyList<(string Field, string Value)> Fields)
{
    public string this[string field] => Fields.Single(pair => pair.Field == field).Value;

    public string? Find(string field) => Fields.Where(pair => pair.Field == field).Select(pair => pair.Value).SingleOrDefault();

    public IEnumerable<string> All(string field) => Fields.Where(pair => pair.Field == field).Select(pair => pair.Value);
}

/// <summary>Reads the golden vectors.</summary>
public static class TelemetryVectors
{
    private static readonly Lazy<IReadOnlyList<TelemetryVector>> _all = new(Load);

    public static IReadOnlyList<TelemetryVector> All => _all.Value;

    public static TelemetryVector Get(string kind, string name) => All.Single(vector => vector.Kind == kind && vector.Name == name);

    public static TheoryData<string> NamesOf(string kind)
    {
        var names = new TheoryData<string>();
        foreach (TelemetryVector vector in All.Where(vector => vector.Kind == kind))
        {
            names.Add(vector.Name);
        }

        return names;
    }

    private static List<TelemetryVector> Load()
    {
        var vectors = new List<TelemetryVector>();
        List<(string Field, string Value)> fields = [];
        foreach (string line in File.ReadAllLines(FindFile()).Select(line => line.Trim()))
        {
            if (line.Length == 0 || line[0] == '#')
            {
                continue;
            }

            if (line[0] == '[')
            {
                string[] words = line.Trim('[', ']').Split(' ');
                fields = [];
                vectors.Add(new TelemetryVector(words[0], words[1], [], fields));
                continue;
            }

            int equals = line.IndexOf('=', StringComparison.Ordinal);
            string field = line[..equals].Trim();
            string value = line[(equals + 1)..].Trim();
            if (field == "hex")
            {
                vectors[^1] = vectors[^1] with { Bytes = Convert.FromHexString(value.Replace(" ", "", StringComparison.Ordinal)) };
            }
            else
            {
                fields.Add((field, value));
            }
        }

        return vectors;
    }

    private static string FindFile()
    {
        for (DirectoryInfo? folder = new(AppContext.BaseDirectory); folder != null; folder = folder.Parent)
        {
            string path = Path.Combine(folder.FullName, "tests", "vectors", "telemetry.txt");
            if (File.Exists(path))
            {
                return path;
            }
        }

        throw new FileNotFoundException("tests/vectors/telemetry.txt is not above " + AppContext.BaseDirectory);
    }
}
