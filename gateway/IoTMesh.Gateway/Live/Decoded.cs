using IoTMesh.Core;

namespace IoTMesh.Gateway.Live;

/// <summary>One value of a reading with what a person needs to understand it.</summary>
/// <param name="Name">BTHome name, unique within its reading (<c>temperature</c>, <c>temperature_2</c>).</param>
/// <param name="Text">For text and raw values (hex); else null.</param>
public sealed record NamedValue(string Name, ReadingKind Kind, double Value, string? Text);

/// <summary>Readings as the pages, MQTT and REST show them.</summary>
public static class Decoded
{
    /// <summary>Decodes an object list. What an unknown object hides is left out: the values before it are returned.</summary>
    public static IReadOnlyList<NamedValue> Values(byte[] payload)
    {
        var reader = new ReadingReader();
        reader.Reset(payload, 0, payload.Length);
        var values = new List<NamedValue>(8);
        while (reader.Next())
        {
            ReadingKind kind = ReadingKinds.Describe(reader.ObjectId, reader.Channel);
            string? text = reader.IsText ? reader.GetText()
                : reader.IsRaw ? Convert.ToHexStringLower(payload, reader.DataOffset, reader.DataLength)
                : null;
            values.Add(new NamedValue(UniqueName(values, kind.Name), kind, reader.Value, text));
        }

        return values;
    }

    private static string UniqueName(List<NamedValue> values, string name)
    {
        int number = 1;
        string unique = name;
        while (values.Exists(v => v.Name == unique))
        {
            number++;
            unique = $"{name}_{number}";
        }

        return unique;
    }
}
