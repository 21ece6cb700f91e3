using System.Globalization;
using System.Text;
using System.Text.Json;

namespace IoTMesh.Gateway.Settings;

/// <summary>
/// One object of a settings file (JSON with comments and trailing commas), with the line of every key. Each getter takes one
/// key; <see cref="RejectUnknown"/> then refuses what nobody asked for, so that a typing error never passes silently.
/// </summary>
internal sealed class SettingsTree
{
    private readonly string _file;
    private readonly string _path;
    private readonly int _line;
    private readonly Dictionary<string, Entry> _entries = new(StringComparer.Ordinal);
    private readonly List<string> _known = [];

    private SettingsTree(string file, string path, int line)
    {
        _file = file;
        _path = path;
        _line = line;
    }

    private sealed record Entry(int Line, JsonTokenType Kind, object? Value);

    /// <summary>Reads a whole file. Throws <see cref="SettingsException"/> for what is not JSON, names a key twice, or is no object.</summary>
    public static SettingsTree Read(string file)
    {
        byte[] bytes;
        try
        {
            bytes = File.ReadAllBytes(file);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new SettingsException($"{file}: cannot be read: {e.Message}");
        }

        return Parse(file, bytes);
    }

    public static SettingsTree Parse(string file, ReadOnlySpan<byte> bytes)
    {
        if (bytes.StartsWith(Encoding.UTF8.Preamble))
        {
            bytes = bytes[Encoding.UTF8.Preamble.Length..];
        }

        var options = new JsonReaderOptions { CommentHandling = JsonCommentHandling.Skip, AllowTrailingCommas = true, MaxDepth = 8 };
        var reader = new Utf8JsonReader(bytes, options);
        var lines = new LineIndex(bytes);
        try
        {
            reader.Read();
            if (reader.TokenType != JsonTokenType.StartObject)
            {
                throw new SettingsException($"{file}:1: settings begin with {{ and end with }}");
            }

            SettingsTree tree = ReadObject(file, "", lines, ref reader);
            reader.Read();
            return tree;
        }
        catch (JsonException e)
        {
            string reason = Simulation.InputException.Shorten(e.Message).TrimEnd('.');
            throw new SettingsException($"{file}:{(e.LineNumber ?? 0) + 1}: not valid JSON: {reason}");
        }
        catch (InvalidOperationException)
        {
            // The reader's word for bytes or escapes that are no Unicode text.
            throw new SettingsException($"{file}:{lines.LineOf(reader.TokenStartIndex)}: not valid UTF-8 text");
        }
    }

    /// <summary>The object under that key, or null.</summary>
    public SettingsTree? Section(string key)
    {
        Entry? entry = Take(key);
        return entry switch
        {
            null => null,
            { Value: SettingsTree tree } => tree,
            _ => throw Wrong(key, entry, "an object { ... }"),
        };
    }

    /// <summary>The objects of the list under that key.</summary>
    public IReadOnlyList<SettingsTree> Sections(string key)
    {
        Entry? entry = Take(key);
        if (entry is null)
        {
            return [];
        }

        if (entry.Value is not List<object?> list || list.Any(o => o is not SettingsTree))
        {
            throw Wrong(key, entry, "a list of objects [ { ... } ]");
        }

        return list.Cast<SettingsTree>().ToList();
    }

    public string Text(string key, string fallback, Func<string, string?>? check = null)
    {
        Entry? entry = Take(key);
        if (entry is null)
        {
            return fallback;
        }

        if (entry.Kind != JsonTokenType.String)
        {
            throw Wrong(key, entry, "a text \"...\"");
        }

        string value = (string)entry.Value!;
        string? problem = check?.Invoke(value);
        return problem is null ? value : throw Fail(key, entry.Line, problem);
    }

    public string? OptionalText(string key, Func<string, string?>? check = null)
    {
        return _entries.ContainsKey(key) ? Text(key, "", check) : Nothing(key);
    }

    public bool Flag(string key, bool fallback)
    {
        Entry? entry = Take(key);
        return entry?.Kind switch
        {
            null => fallback,
            JsonTokenType.True => true,
            JsonTokenType.False => false,
            _ => throw Wrong(key, entry, "true or false"),
        };
    }

    public int Number(string key, int fallback, int least, int most)
    {
        Entry? entry = Take(key);
        if (entry is null)
        {
            return fallback;
        }

        if (entry.Kind != JsonTokenType.Number
            || !int.TryParse((string)entry.Value!, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out int value)
            || value < least || value > most)
        {
            throw Wrong(key, entry, $"a whole number from {least} to {most}");
        }

        return value;
    }

    /// <summary>Refuses keys that no getter asked for, with the nearest known one as a hint.</summary>
    public void RejectUnknown()
    {
        foreach ((string key, Entry entry) in _entries.OrderBy(e => e.Value.Line))
        {
            if (!_known.Contains(key))
            {
                string? near = Nearest(key);
                string hint = near is null ? "known keys: " + string.Join(", ", _known) : $"did you mean \"{near}\"?";
                throw Fail(key, entry.Line, $"no such setting; {hint}");
            }
        }
    }

    /// <summary>For checks across keys: an error at that key, or at this object where the key is absent.</summary>
    public SettingsException Fail(string key, string problem)
    {
        return Fail(key, _entries.TryGetValue(key, out Entry? entry) ? entry.Line : _line, problem);
    }

    private string? Nothing(string key)
    {
        _known.Add(key);
        return null;
    }

    private Entry? Take(string key)
    {
        _known.Add(key);
        return _entries.GetValueOrDefault(key);
    }

    private SettingsException Wrong(string key, Entry entry, string expected)
    {
        string found = entry.Value switch
        {
            SettingsTree => "an object",
            List<object?> => "a list",
            string s when entry.Kind == JsonTokenType.String => $"\"{s}\"",
            string s => s,
            _ => entry.Kind.ToString().ToLowerInvariant(),
        };
        return Fail(key, entry.Line, $"must be {expected}, is {found}");
    }

    private SettingsException Fail(string key, int line, string problem)
    {
        return new SettingsException($"{_file}:{line}: {_path}{key}: {problem}");
    }

    private string? Nearest(string key)
    {
        string? best = _known.MinBy(k => Distance(k, key));
        return best is not null && Distance(best, key) <= Math.Max(1, key.Length / 3) ? best : null;
    }

    private static int Distance(string a, string b)
    {
        int[] row = Enumerable.Range(0, b.Length + 1).ToArray();
        for (int i = 1; i <= a.Length; i++)
        {
            int diagonal = row[0];
            row[0] = i;
            for (int j = 1; j <= b.Length; j++)
            {
                int change = diagonal + (char.ToLowerInvariant(a[i - 1]) == char.ToLowerInvariant(b[j - 1]) ? 0 : 1);
                diagonal = row[j];
                row[j] = Math.Min(change, Math.Min(row[j], row[j - 1]) + 1);
            }
        }

        return row[b.Length];
    }

    private static SettingsTree ReadObject(string file, string path, LineIndex lines, ref Utf8JsonReader reader)
    {
        var tree = new SettingsTree(file, path, lines.LineOf(reader.TokenStartIndex));
        while (reader.Read() && reader.TokenType != JsonTokenType.EndObject)
        {
            string key = reader.GetString()!;
            int line = lines.LineOf(reader.TokenStartIndex);
            reader.Read();
            JsonTokenType kind = reader.TokenType;
            object? value = ReadValue(file, path + key + ".", lines, ref reader);
            if (!tree._entries.TryAdd(key, new Entry(line, kind, value)))
            {
                throw tree.Fail(key, line, $"is given twice (first in line {tree._entries[key].Line})");
            }
        }

        return tree;
    }

    private static object? ReadValue(string file, string path, LineIndex lines, ref Utf8JsonReader reader)
    {
        switch (reader.TokenType)
        {
            case JsonTokenType.StartObject:
                return ReadObject(file, path, lines, ref reader);
            case JsonTokenType.StartArray:
                var list = new List<object?>();
                while (reader.Read() && reader.TokenType != JsonTokenType.EndArray)
                {
                    list.Add(ReadValue(file, path, lines, ref reader));
                }

                return list;
            case JsonTokenType.String:
                return reader.GetString();
            case JsonTokenType.Number:
                return Encoding.UTF8.GetString(reader.ValueSpan);
            default:
                return null;
        }
    }

    private sealed class LineIndex
    {
        private readonly List<int> _ends = [];

        internal LineIndex(ReadOnlySpan<byte> bytes)
        {
            for (int i = 0; i < bytes.Length; i++)
            {
                if (bytes[i] == (byte)'\n')
                {
                    _ends.Add(i);
                }
            }
        }

        internal int LineOf(long index)
        {
            int at = _ends.BinarySearch((int)index);
            return (at >= 0 ? at : ~at) + 1;
        }
    }
}
