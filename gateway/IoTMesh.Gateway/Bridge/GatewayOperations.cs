using System.Text.Json;
using IoTMesh.Gateway.Live;
using IoTMesh.Gateway.Settings;
using IoTMesh.Gateway.Site;
using IoTMesh.Gateway.Storage;

namespace IoTMesh.Gateway.Bridge;

/// <summary>Requests to the gateway itself: <c>devices</c>, <c>rename</c>, <c>remove</c>, <c>health</c>.</summary>
public sealed class GatewayOperations(GatewayStore store, Registry registry, LiveMesh live, Func<byte[]> health)
{
    /// <summary>The answer to <c>gw/&lt;gw&gt;/req/&lt;operation&gt;</c> as JSON with the request's id.</summary>
    public async Task<byte[]> RunAsync(string operation, ReadOnlyMemory<byte> payload, CancellationToken cancellationToken)
    {
        JsonElement root = Parse(payload);
        JsonElement? id = root.ValueKind == JsonValueKind.Object && root.TryGetProperty("id", out JsonElement given) ? given : null;
        (string? error, byte[]? data) = root.ValueKind == JsonValueKind.Object
            ? await RunAsync(operation, root, cancellationToken)
            : ("a request is a JSON object, for example {\"id\":\"a1\"}", null);
        return Payloads.Object(json =>
        {
            json.WritePropertyName("id");
            if (id is { } value)
            {
                value.WriteTo(json);
            }
            else
            {
                json.WriteNullValue();
            }

            json.WriteString("op", operation);
            json.WriteBoolean("ok", error is null);
            if (error is not null)
            {
                json.WriteString("error", error);
            }

            if (data is not null)
            {
                json.WritePropertyName("data");
                json.WriteRawValue(data);
            }
        });
    }

    /// <summary>Gives a device another name. Its id in topics stays, so that dashboards go on.</summary>
    /// <returns>Null, or why not.</returns>
    public async Task<string?> RenameAsync(Device device, string name, CancellationToken cancellationToken)
    {
        if (Registry.CheckName(name) is { } problem)
        {
            return problem;
        }

        await store.SaveDeviceAsync(device with { Name = name.Trim() }, cancellationToken);
        registry.Replace(store.LoadDevices());
        live.AddEvent("info", device.Id, $"is called {name.Trim()} now");
        return null;
    }

    /// <summary>Forgets a device: its key, its readings, its topics.</summary>
    public async Task RemoveAsync(Device device, CancellationToken cancellationToken)
    {
        await store.RemoveDeviceAsync(device, cancellationToken);
        registry.Replace(store.LoadDevices());
        live.AddEvent("warning", device.Id, "removed from the site");
    }

    /// <summary>The node that a request names, or an empty text.</summary>
    internal static string NodeOf(ReadOnlyMemory<byte> payload)
    {
        JsonElement root = Parse(payload);
        return root.ValueKind == JsonValueKind.Object && root.TryGetProperty("node", out JsonElement node) && node.ValueKind == JsonValueKind.String
            ? node.GetString()!
            : "";
    }

    /// <summary>The request without its <c>node</c>, as a node's own topic would carry it.</summary>
    internal static byte[] WithoutNode(ReadOnlyMemory<byte> payload)
    {
        JsonElement root = Parse(payload);
        return root.ValueKind != JsonValueKind.Object
            ? payload.ToArray()
            : Payloads.Object(json =>
            {
                foreach (JsonProperty property in root.EnumerateObject().Where(p => p.Name != "node"))
                {
                    property.WriteTo(json);
                }
            });
    }

    private async Task<(string? Error, byte[]? Data)> RunAsync(string operation, JsonElement root, CancellationToken cancellationToken)
    {
        switch (operation)
        {
            case "devices":
                return (null, Payloads.Devices(registry.Devices));
            case "health":
                return (null, health());
            case "rename" or "remove":
                break;
            default:
                return ($"no operation {operation}; there are: ping, set, get, identify, reboot, describe, devices, health, rename, remove", null);
        }

        string node = root.TryGetProperty("node", out JsonElement n) && n.ValueKind == JsonValueKind.String ? n.GetString()! : "";
        if (registry.Find(node) is not { } device)
        {
            return ($"no node {node} in this site", null);
        }

        if (operation == "remove")
        {
            await RemoveAsync(device, cancellationToken);
            return (null, null);
        }

        string name = root.TryGetProperty("name", out JsonElement given) && given.ValueKind == JsonValueKind.String ? given.GetString()! : "";
        return (await RenameAsync(device, name, cancellationToken), null);
    }

    private static JsonElement Parse(ReadOnlyMemory<byte> payload)
    {
        try
        {
            return StrictJson.Parse(payload);
        }
        catch (JsonException)
        {
            return default;
        }
    }
}
