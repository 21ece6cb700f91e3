using System.Text.Json;
using IoTMesh.Core;
using IoTMesh.Gateway.Storage;

namespace IoTMesh.Gateway.Bridge;

/// <summary>Home Assistant's device-based MQTT discovery: one retained configuration a device.</summary>
public sealed class HomeAssistant(string prefix, string site, string gateway, Topics topics)
{
    /// <summary>Home Assistant says online here when it starts.</summary>
    public string StatusTopic => $"{prefix}/status";

    public string ConfigTopic(Device device)
    {
        return $"{prefix}/device/{ObjectId(device)}/config";
    }

    public string GatewayConfigTopic => $"{prefix}/device/{GatewayObjectId}/config";

    private string GatewayObjectId => $"iotmesh_{site}_{gateway}";

    /// <summary>A device with the kinds of readings it has sent and its writable switches.</summary>
    public byte[] Config(Device device, IReadOnlyList<KeyValuePair<string, ReadingKind>> kinds)
    {
        return Payloads.Object(json =>
        {
            WriteDevice(
                json, ObjectId(device), device.Name, device.Model.Length > 0 ? device.Model : "IoTMesh node", device.Version, GatewayObjectId);
            WriteOrigin(json);
            json.WriteString("state_topic", topics.Node(device.Id, "state"));
            WriteAvailability(json, topics.Node(device.Id, "avail"));
            json.WriteStartObject("cmps");
            foreach ((string name, ReadingKind kind) in kinds.Where(k => k.Value.Form is ReadingForm.Number or ReadingForm.Binary))
            {
                WriteReading(json, device, name, kind);
            }

            foreach (DeviceKey key in device.Keys.Where(k => k is { Type: "bool", Writable: true }))
            {
                WriteSwitch(json, device, key);
            }

            json.WriteEndObject();
        });
    }

    /// <summary>The gateway itself: whether it is connected.</summary>
    public byte[] GatewayConfig()
    {
        return Payloads.Object(json =>
        {
            WriteDevice(json, GatewayObjectId, $"IoTMesh gateway {gateway}", "IoTMesh gateway", GatewayVersion.Text, null);
            WriteOrigin(json);
            json.WriteStartObject("cmps");
            json.WriteStartObject("connection");
            json.WriteString("p", "binary_sensor");
            json.WriteString("unique_id", $"{GatewayObjectId}_connection");
            json.WriteString("name", "Connection");
            json.WriteString("device_class", "connectivity");
            json.WriteString("entity_category", "diagnostic");
            json.WriteString("state_topic", topics.GatewayState);
            json.WriteString("payload_on", "online");
            json.WriteString("payload_off", "offline");
            json.WriteEndObject();
            json.WriteEndObject();
        });
    }

    private string ObjectId(Device device)
    {
        return $"iotmesh_{site}_{device.DeviceId}";
    }

    private static void WriteDevice(Utf8JsonWriter json, string id, string name, string model, string version, string? via)
    {
        json.WriteStartObject("dev");
        json.WriteStartArray("ids");
        json.WriteStringValue(id);
        json.WriteEndArray();
        json.WriteString("name", name);
        json.WriteString("mf", "IoTMesh");
        json.WriteString("mdl", model);
        if (version.Length > 0)
        {
            json.WriteString("sw", version);
        }

        if (via is not null)
        {
            json.WriteString("via_device", via);
        }

        json.WriteEndObject();
    }

    private static void WriteOrigin(Utf8JsonWriter json)
    {
        json.WriteStartObject("o");
        json.WriteString("name", "IoTMesh");
        json.WriteString("sw", GatewayVersion.Text);
        json.WriteEndObject();
    }

    private void WriteAvailability(Utf8JsonWriter json, string nodeTopic)
    {
        json.WriteStartArray("availability");
        foreach (string topic in (string[])[topics.GatewayState, nodeTopic])
        {
            json.WriteStartObject();
            json.WriteString("topic", topic);
            json.WriteEndObject();
        }

        json.WriteEndArray();
        json.WriteString("availability_mode", "all");
    }

    private void WriteReading(Utf8JsonWriter json, Device device, string name, ReadingKind kind)
    {
        bool isBinary = kind.Form == ReadingForm.Binary;
        json.WriteStartObject(name);
        json.WriteString("p", isBinary ? "binary_sensor" : "sensor");
        json.WriteString("unique_id", $"{ObjectId(device)}_{name}");
        json.WriteString("name", kind.Label);
        json.WriteString("value_template", isBinary ? $"{{{{ 'ON' if value_json.{name} else 'OFF' }}}}" : $"{{{{ value_json.{name} }}}}");
        WriteUnlessEmpty(json, "device_class", kind.DeviceClass);
        if (!isBinary)
        {
            WriteUnlessEmpty(json, "unit_of_measurement", kind.Unit);
            WriteUnlessEmpty(json, "state_class", kind.StateClass);
            json.WriteNumber("suggested_display_precision", kind.Decimals);
        }

        json.WriteEndObject();
    }

    private void WriteSwitch(Utf8JsonWriter json, Device device, DeviceKey key)
    {
        json.WriteStartObject(key.Key);
        json.WriteString("p", "switch");
        json.WriteString("unique_id", $"{ObjectId(device)}_set_{key.Key}");
        json.WriteString("name", key.Key);
        json.WriteString("command_topic", topics.Node(device.Id, "set"));
        json.WriteString("payload_on", $"{{\"{key.Key}\":true}}");
        json.WriteString("payload_off", $"{{\"{key.Key}\":false}}");

        // The states are not among the readings: Home Assistant shows what it asked for last.
        json.WriteBoolean("optimistic", true);
        json.WriteEndObject();
    }

    private static void WriteUnlessEmpty(Utf8JsonWriter json, string name, string value)
    {
        if (value.Length > 0)
        {
            json.WriteString(name, value);
        }
    }
}
