using System.Globalization;
using System.Text.Json;
using IoTMesh.Gateway.Live;
using IoTMesh.Gateway.Site;
using IoTMesh.Gateway.Storage;

namespace IoTMesh.Gateway.Bridge;

/// <summary>The requests of the pages: the same way as those from MQTT and REST.</summary>
public sealed class NodeCommands(Registry registry, CommandRunner runner) : INodeCommands
{
    /// <inheritdoc/>
    public async Task<NodeAnswer> SendAsync(
        string who, string nodeId, string operation, string key, string value, CancellationToken cancellationToken)
    {
        if (registry.Find(nodeId) is not Device device)
        {
            return new NodeAnswer(false, $"no node {nodeId} is enrolled at this site", 0);
        }

        CommandRequest request = CommandRequest.Parse(operation, Request(operation, key, value));
        if (request.Error is not null)
        {
            return new NodeAnswer(false, request.Error, 0);
        }

        (bool ok, _, byte[] json) = await runner.RunAsync(who, device, request, cancellationToken);
        using JsonDocument answer = JsonDocument.Parse(json);
        JsonElement root = answer.RootElement;
        string text = ok
            ? string.Join(", ", root.GetProperty("values").EnumerateObject().Select(pair => $"{pair.Name} = {Plain(pair.Value)}"))
            : root.GetProperty("error").GetString()!;
        return new NodeAnswer(ok, text, root.GetProperty("ms").GetDouble());
    }

    private static string Plain(JsonElement value) => value.ValueKind == JsonValueKind.String ? value.GetString()! : value.GetRawText();

    private static byte[] Request(string operation, string key, string value)
    {
        return Payloads.Object(json =>
        {
            if (operation is "get" or "set")
            {
                json.WriteString("key", key.Trim());
            }

            if (operation == "set")
            {
                json.WritePropertyName("value");
                WriteValue(json, value.Trim());
            }
        });
    }

    private static void WriteValue(Utf8JsonWriter json, string value)
    {
        if (bool.TryParse(value, out bool flag))
        {
            json.WriteBooleanValue(flag);
        }
        else if (long.TryParse(value, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out long number))
        {
            json.WriteNumberValue(number);
        }
        else
        {
            json.WriteStringValue(value);
        }
    }
}
