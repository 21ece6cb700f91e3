using System.Globalization;
using System.Text;

namespace IoTMesh.Core.Tests.Vectors;

/// <summary>One section of a vector file: <c>[kind name]</c>, then <c>field = value</c> lines; a field may be there more than once.</summary>
internal sealed class VectorSection(string kind, string name)
{
    internal readonly List<(string Field, string Value)> Lines = [];

    internal string Kind { get; } = kind;

    internal string Name { get; } = name;

    internal string this[string field] => All(field) is [string value] ? value : throw new KeyNotFoundException($"[{Kind} {Name}] needs one {field}");

    internal bool Has(string field)
    {
        return Lines.Exists(l => l.Field == field);
    }

    internal string[] All(string field)
    {
        return Lines.Where(l => l.Field == field).Select(l => l.Value).ToArray();
    }

    internal uint Number(string field)
    {
        return uint.Parse(this[field], CultureInfo.InvariantCulture);
    }

    internal byte[] Hex(string field)
    {
        return Convert.FromHexString(this[field]);
    }

    internal void Set(string field, string value)
    {
        Lines.RemoveAll(l => l.Field == field);
        Lines.Add((field, value));
    }
}

/// <summary>tests/vectors/NAME, found from the test's own folder upwards.</summary>
internal sealed class VectorFile
{
    private readonly StringBuilder _head = new();

    internal VectorFile(string name)
    {
        string folder = AppContext.BaseDirectory;
        while (!File.Exists(System.IO.Path.Combine(folder, "IoTMesh.sln")))
        {
            folder = Directory.GetParent(folder)?.FullName ?? throw new FileNotFoundException("IoTMesh.sln above the tests");
        }

        Path = System.IO.Path.Combine(folder, "tests", "vectors", name);
        foreach (string line in File.ReadLines(Path))
        {
            Read(line);
        }
    }

    internal string Path { get; }

    internal List<VectorSection> Sections { get; } = [];

    internal VectorSection this[string kind, string name] => Sections.Single(s => s.Kind == kind && s.Name == name);

    private void Read(string line)
    {
        if (line.StartsWith('#'))
        {
            _head.Append(line).Append('\n');
        }
        else if (line.StartsWith('['))
        {
            string[] words = line.Trim('[', ']').Split(' ', 2);
            Sections.Add(new VectorSection(words[0], words[1]));
        }
        else if (line.Length != 0)
        {
            string[] sides = line.Split(" = ", 2);
            Sections[^1].Lines.Add((sides[0], sides[1]));
        }
    }

    internal void Write()
    {
        var text = new StringBuilder(_head.ToString());
        foreach (VectorSection section in Sections)
        {
            text.Append(CultureInfo.InvariantCulture, $"\n[{section.Kind} {section.Name}]\n");
            foreach ((string field, string value) in section.Lines)
            {
                text.Append(CultureInfo.InvariantCulture, $"{field} = {value}\n");
            }
        }

        File.WriteAllText(Path, text.ToString());
    }
}
