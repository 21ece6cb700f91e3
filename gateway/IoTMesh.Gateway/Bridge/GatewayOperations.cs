using System.Text.Json;
using IoTMesh.Gateway.Live;
using IoTMesh.Gateway.Service;
using IoTMesh.Gateway.Settings;
using IoTMesh.Gateway.Site;
using IoTMesh.Gateway.Storage;

namespace IoTMesh.Gateway.Bridge;

/// <summary>Requests to the gateway itself, of MQTT; what they do, REST does through the same functions.</summary>
public sealed class GatewayOperations(GatewayStore store, Registry registry, LiveMesh live, KeyKeeper keys, Func<byte[]> health)
{
    private const string Mqtt = "mqtt";
    private const string Operations =
        "ping, set, get, identify, reboot, describe, devices, health, keys, rename, remove, permit-join, revoke, rotate-keys";

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
    /// <param name="who">For the audit.</param>
    public async Task<string?> RenameAsync(string who, Device device, string name, CancellationToken cancellationToken)
    {
        if (Registry.CheckName(name) is { } problem)
        {
            return problem;
        }

        await store.SaveDeviceAsync(device with { Name = name.Trim() }, cancellationToken);
        registry.Load(store);
        await store.AuditAsync(who, "rename", device.Id, name.Trim(), cancellationToken);
        live.AddEvent("info", device.Id, $"is called {name.Trim()} now");
        return null;
    }

    /// <summary>Forgets a device: its key, its readings, its topics. One that was a member has the network key, so that is changed.</summary>
    /// <param name="who">For the audit.</param>
    public async Task RemoveAsync(string who, Device device, CancellationToken cancellationToken)
    {
        bool isMember = registry.MembershipOf(device) is { HasJoined: true, IsRevoked: false };
        await store.RemoveDeviceAsync(device, cancellationToken);
        await store.AuditAsync(who, "remove", device.Id, $"device {device.DeviceId}", cancellationToken);
        registry.Load(store);
        live.AddEvent("warning", device.Id, "removed from the site");
        if (isMember)
        {
            await keys.RotateAsync(who, $"{device.Id} removed", cancellationToken);
        }
    }

    /// <summary>The network key and its last change, as JSON.</summary>
    public byte[] Keys()
    {
        return keys.Describe();
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
            case "keys":
                return (null, Keys());
            case "rotate-keys":
                await keys.RotateAsync(Mqtt, "asked for", cancellationToken);
                return (null, Keys());
            case "permit-join":
                return await PermitJoinAsync(root, cancellationToken);
            case "rename" or "remove" or "revoke":
                return (await ChangeAsync(operation, root, cancellationToken), null);
            default:
                return ($"no operation {operation}; there are: {Operations}", null);
        }
    }

    private async Task<string?> ChangeAsync(string operation, JsonElement root, CancellationToken cancellationToken)
    {
        string node = TextOf(root, "node");
        if (registry.Find(node) is not { } device)
        {
            return $"no node {node} in this site";
        }

        switch (operation)
        {
            case "remove":
                await RemoveAsync(Mqtt, device, cancellationToken);
                return null;
            case "revoke":
                return await keys.RevokeAsync(device, Mqtt, cancellationToken);
            default:
                return await RenameAsync(Mqtt, device, TextOf(root, "name"), cancellationToken);
        }
    }

    private async Task<(string? Error, byte[]? Data)> PermitJoinAsync(JsonElement root, CancellationToken cancellationToken)
    {
        bool isClosing = root.TryGetProperty("close", out JsonElement close) && close.ValueKind == JsonValueKind.True;
        int minutes = JoinWindow.DefaultMinutes;
        if (root.TryGetProperty("minutes", out JsonElement given)
            && (given.ValueKind != JsonValueKind.Number || !given.TryGetInt32(out minutes) || minutes is < 1 or > JoinWindow.MinutesMax))
        {
            return ($"minutes must be a number from 1 to {JoinWindow.MinutesMax}", null);
        }

        string node = TextOf(root, "node");
        Device? device = registry.Find(node);
        if (node.Length > 0 && node != "all" && device is null)
        {
            return ($"no node {node} in this site", null);
        }

        JoinWindowResult result = await keys.PermitJoinAsync(device is null ? null : [device], isClosing ? 0 : minutes, Mqtt, cancellationToken);
        return (null, Payloads.Object(json => json.WriteString("result", result.Describe())));
    }

    private static string TextOf(JsonElement root, string name)
    {
        return root.TryGetProperty(name, out JsonElement text) && text.ValueKind == JsonValueKind.String ? text.GetString()! : "";
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
