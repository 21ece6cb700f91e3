using IoTMesh.Mqtt;

namespace IoTMesh.Gateway.Fuzzing;

/// <summary>A parser by name.</summary>
internal sealed record Parser(string Name, string About, Func<FuzzTarget> Create);

/// <summary>Every parser that reads what others wrote.</summary>
internal static class Parsers
{
    internal static IReadOnlyList<Parser> All { get; } =
    [
        new("frame", "link frames of an outsider into running nodes, join frames among them", () => new FrameTarget()),
        new("frame-signed", "link frames with a right hop tag: the parsers of all bodies", () => new SignedFrameTarget()),
        new("message", "messages with a right end-to-end tag: services, fragments, diagnostics, watermarks, joins, keys", () => new MessageTarget()),
        new("inspector", "the frame decoder of 'iotmesh decode' and of captures", CodecTargets.Inspector),
        new("reading", "BTHome readings", CodecTargets.Reading),
        new("command", "commands and their responses", CodecTargets.Command),
        new("node-info", "what a node tells about itself", CodecTargets.NodeInfo),
        new("link-report", "a node's view of its links", CodecTargets.LinkReport),
        new("record-counters", "the stored record of counters", CodecTargets.Counters),
        new("record-keys", "the stored record of network keys", CodecTargets.Keys),
        new("record-custody", "the stored logs of readings", CodecTargets.CustodyLog),
        new("air", "datagrams of the UDP air", CodecTargets.Air),
        new("node-settings", "settings files of nodes", TextTargets.NodeSettings),
        new("gateway-settings", "settings files of gateways", TextTargets.GatewaySettings),
        new("scenario", "scenario files", TextTargets.Scenario),
        new("topology", "topology files", TextTargets.Topology),
        new("rest-body", "bodies of commands over REST and MQTT", TextTargets.RestBody),
        new("mqtt5-packet", "MQTT 5 packets of either side", () => new MqttTarget(MqttProtocol.V5, false)),
        new("mqtt311-packet", "MQTT 3.1.1 packets of either side", () => new MqttTarget(MqttProtocol.V311, false)),
        new("mqtt5-client", "an MQTT 5 client's session", () => new MqttTarget(MqttProtocol.V5, true)),
        new("mqtt311-client", "an MQTT 3.1.1 client's session", () => new MqttTarget(MqttProtocol.V311, true)),
        new("mqtt5-broker", "a running broker, by MQTT 5", () => new BrokerTarget(MqttProtocol.V5)),
        new("mqtt311-broker", "a running broker, by MQTT 3.1.1", () => new BrokerTarget(MqttProtocol.V311)),
    ];
}
