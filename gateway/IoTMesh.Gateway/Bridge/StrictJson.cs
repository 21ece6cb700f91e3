using System.Text.Json;

namespace IoTMesh.Gateway.Bridge;

/// <summary>JSON from outside, read so that no text in it can fail later.</summary>
internal static class StrictJson
{
    private static readonly JsonDocumentOptions _options = new() { MaxDepth = 4 };

    /// <exception cref="JsonException">It is no JSON, is nested too deep, or a name or text in it is no Unicode.</exception>
    internal static JsonElement Parse(ReadOnlyMemory<byte> payload)
    {
        using JsonDocument document = JsonDocument.Parse(payload, _options);
        JsonElement root = document.RootElement.Clone();
        try
        {
            CheckTexts(root);
        }
        catch (InvalidOperationException)
        {
            // The parser looks into texts only when they are asked for: bytes that are no UTF-8, or half a surrogate pair.
            throw new JsonException("a name or text is not valid Unicode");
        }

        return root;
    }

    private static void CheckTexts(JsonElement element)
    {
        switch (element.ValueKind)
        {
            case JsonValueKind.Object:
                foreach (JsonProperty property in element.EnumerateObject())
                {
                    _ = property.Name;
                    CheckTexts(property.Value);
                }

                break;
            case JsonValueKind.Array:
                foreach (JsonElement item in element.EnumerateArray())
                {
                    CheckTexts(item);
                }

                break;
            case JsonValueKind.String:
                _ = element.GetString();
                break;
            default:
                break;
        }
    }
}
