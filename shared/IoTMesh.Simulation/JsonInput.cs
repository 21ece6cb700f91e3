using System.Globalization;
using System.Text;
using System.Text.Json;

namespace IoTMesh.Simulation;

/// <summary>
/// A JSON value that remembers where it stood, read strictly: every getter checks the type and the range, and an object's keys must all
/// have been asked for when <see cref="End"/> is called. Errors are <see cref="InputException"/>s that name file, line and key.
/// </summary>
internal sealed class JsonInput
{
    private const int DepthMax = 16;
    private readonly string _file;
    private readonly string _path;
    private readonly int _line;
    private readonly JsonTokenType _type;
    private readonly string _text;
    private readonly List<JsonInput> _items = [];
    private readonly Dictionary<string, JsonInput> _members = new(StringComparer.Ordinal);
    private readonly HashSet<string> _asked = new(StringComparer.Ordinal);

    private JsonInput(string file, string path, int line, JsonTokenType type, string text)
    {
        _file = file;
        _path = path;
        _line = line;
        _type = type;
        _text = text;
    }

    /// <param name="file">Name for messages.</param>
    public static JsonInput Parse(string file, ReadOnlySpan<byte> utf8)
    {
        utf8 = utf8.StartsWith("\uFEFF"u8) ? utf8[3..] : utf8;
        Utf8JsonReader reader = new(utf8, new JsonReaderOptions { MaxDepth = DepthMax, CommentHandling = JsonCommentHandling.Disallow });
        LineCounter lines = default;
        try
        {
            reader.Read();
            JsonInput value = Read(ref reader, utf8, ref lines, file, string.Empty);
            while (reader.Read())
            {
            }

            return value;
        }
        catch (JsonException error)
        {
            throw new InputException($"{file}:{(error.LineNumber ?? 0) + 1}: not JSON: {InputException.Shorten(error.Message)}", error);
        }
        catch (InvalidOperationException error)
        {
            // What the reader says to bytes or escapes that are no text.
            throw new InputException($"{file}:{lines.At(utf8, (int)reader.TokenStartIndex)}: not JSON: a string is not valid UTF-8", error);
        }
    }

    public bool IsObject => _type == JsonTokenType.StartObject;

    public bool IsArray => _type == JsonTokenType.StartArray;

    public bool IsString => _type == JsonTokenType.String;

    /// <summary>An error about this value.</summary>
    public InputException Error(string what) => new(OneLine($"{_file}:{_line}: {(_path.Length == 0 ? "the file" : _path)}: {what}"));

    /// <summary>The member, or null where there is none.</summary>
    public JsonInput? Optional(string key)
    {
        Expect(IsObject, "an object");
        _asked.Add(key);
        return _members.GetValueOrDefault(key);
    }

    public JsonInput Required(string key) => Optional(key) ?? throw Error($"'{key}' is missing");

    /// <summary>Fails on the first key nobody asked for.</summary>
    public void End()
    {
        Expect(IsObject, "an object");
        foreach ((string key, JsonInput value) in _members)
        {
            if (!_asked.Contains(key))
            {
                throw value.Error($"unknown key; known here: {string.Join(", ", _asked.Order(StringComparer.Ordinal))}");
            }
        }
    }

    public IReadOnlyList<JsonInput> Items()
    {
        Expect(IsArray, "an array");
        return _items;
    }

    /// <summary>The items of an array of exactly this length.</summary>
    public IReadOnlyList<JsonInput> Items(int count)
    {
        Expect(IsArray && _items.Count == count, $"an array of {count}");
        return _items;
    }

    public string AsString()
    {
        Expect(IsString, "a string");
        return _text;
    }

    public bool AsBool()
    {
        Expect(_type is JsonTokenType.True or JsonTokenType.False, "true or false");
        return _type == JsonTokenType.True;
    }

    public double AsDouble(double min, double max)
    {
        double value = 0;
        bool isNumber = _type == JsonTokenType.Number && double.TryParse(_text, NumberStyles.Float, CultureInfo.InvariantCulture, out value);
        Expect(isNumber && value >= min && value <= max, string.Create(CultureInfo.InvariantCulture, $"a number from {min} to {max}"));
        return value;
    }

    public long AsLong(long min, long max)
    {
        long value = 0;
        bool isInteger = _type == JsonTokenType.Number
            && long.TryParse(_text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out value);
        Expect(isInteger && value >= min && value <= max, $"a whole number from {min} to {max}");
        return value;
    }

    public int AsInt(int min, int max) => (int)AsLong(min, max);

    private void Expect(bool condition, string what)
    {
        if (!condition)
        {
            throw Error($"expected {what}, found {Shown()}");
        }
    }

    private static string OneLine(string text) => string.Create(text.Length, text, (span, source) =>
    {
        for (int i = 0; i < span.Length; i++)
        {
            span[i] = char.IsControl(source[i]) ? '?' : source[i];
        }
    });

    private string Shown() => _type switch
    {
        JsonTokenType.StartObject => "an object",
        JsonTokenType.StartArray => $"an array of {_items.Count}",
        JsonTokenType.String => $"'{(_text.Length > 40 ? _text[..40] + "..." : _text)}'",
        _ => _text,
    };

    private static JsonInput Read(ref Utf8JsonReader reader, ReadOnlySpan<byte> utf8, ref LineCounter lines, string file, string path)
    {
        int line = lines.At(utf8, (int)reader.TokenStartIndex);
        JsonTokenType type = reader.TokenType;
        string text = type == JsonTokenType.String ? reader.GetString()! : Encoding.UTF8.GetString(reader.ValueSpan);
        JsonInput value = new(file, path, line, type, text);
        if (type == JsonTokenType.StartArray)
        {
            while (reader.Read() && reader.TokenType != JsonTokenType.EndArray)
            {
                value._items.Add(Read(ref reader, utf8, ref lines, file, $"{path}[{value._items.Count}]"));
            }
        }
        else if (type == JsonTokenType.StartObject)
        {
            while (reader.Read() && reader.TokenType != JsonTokenType.EndObject)
            {
                string key = reader.GetString()!;
                int keyLine = lines.At(utf8, (int)reader.TokenStartIndex);
                string keyPath = path.Length == 0 ? key : $"{path}.{key}";
                reader.Read();
                if (!value._members.TryAdd(key, Read(ref reader, utf8, ref lines, file, keyPath)))
                {
                    throw new InputException(OneLine($"{file}:{keyLine}: {keyPath}: the key is there twice"));
                }
            }
        }

        return value;
    }

    /// <summary>Counts lines up to rising positions.</summary>
    private struct LineCounter
    {
        private int _position;
        private int _newLines;

        internal int At(ReadOnlySpan<byte> utf8, int position)
        {
            if (position > _position)
            {
                _newLines += utf8[_position..position].Count((byte)'\n');
                _position = position;
            }

            return _newLines + 1;
        }
    }
}
