using System.Globalization;
using System.Text.RegularExpressions;
using IoTMesh.Core;

namespace IoTMesh.Simulation.Tests.Capture;

/// <summary>What FrameInspector says of a frame, in the dissector's fields.</summary>
internal static partial class InspectorFields
{
    private static readonly string[] _types =
    [
        "data", "beacon", "ack", "probe", "probe reply", "request", "flood", "ack, mail waits", "poll", "busy", "join",
    ];
    private static readonly string[] _kinds =
    [
        "reading", "datagram", "confirmed datagram", "confirmation", "watermark", "hello", "batch of readings", "service",
    ];
    private static readonly string[] _joinSteps = ["solicit", "offer", "up", "down"];
    private static readonly string[] _joinMessages = ["", "ask", "challenge", "prove", "admit", "refuse"];
    private static readonly string[] _classes = ["control", "real-time", "normal", "bulk"];

    /// <summary>Inspector's name to the dissector's field, for values that are the same in both but for words around a number.</summary>
    private static readonly Dictionary<string, string> _plain = new()
    {
        ["version"] = "iotmesh.version",
        ["epoch"] = "iotmesh.ack.epoch",
        ["acknowledged counter"] = "iotmesh.ack.counter",
        ["riding ack: counter"] = "iotmesh.ack.counter",
        ["bitmap of the 8 before"] = "iotmesh.ack.bitmap",
        ["taken over"] = "iotmesh.busy.taken",
        ["riding ack: bitmap"] = "iotmesh.ack.bitmap",
        ["network hint"] = "iotmesh.hint",
        ["key epoch"] = "iotmesh.epoch",
        ["link source"] = "iotmesh.source",
        ["link destination"] = "iotmesh.destination",
        ["sender's cost"] = "iotmesh.cost",
        ["age"] = "iotmesh.age",
        ["wants an ack of"] = "iotmesh.wanted",
        ["boot number"] = "iotmesh.boot",
        ["sleepy leaf"] = "iotmesh.probe.leaf",
        ["poll: seqno"] = "iotmesh.poll.seqno",
        ["poll: interval"] = "iotmesh.poll.interval",
        ["poll: next in"] = "iotmesh.poll.next",
        ["poll: given up after"] = "iotmesh.poll.polls",
        ["challenge"] = "iotmesh.challenge",
        ["table version"] = "iotmesh.beacon.version",
        ["holds changes of the last"] = "iotmesh.beacon.since",
        ["own seqno"] = "iotmesh.beacon.seqno",
        ["gateway"] = "iotmesh.beacon.gateway",
        ["beacon number"] = "iotmesh.beacon.number",
        ["time"] = "iotmesh.time.utc",
        ["time: word"] = "iotmesh.time.word",
        ["time: standard error"] = "iotmesh.time.sigma",
        ["time: hops"] = "iotmesh.time.hops",
        ["  hop limit"] = "iotmesh.message.hop_limit",
        ["  origin"] = "iotmesh.message.origin",
        ["  destination"] = "iotmesh.message.destination",
        ["  via gateway"] = "iotmesh.message.via",
        ["  ciphertext"] = "iotmesh.message.ciphertext",
        ["  end-to-end tag"] = "iotmesh.message.tag",
        ["hop tag"] = "iotmesh.tag",
        ["join: cost"] = "iotmesh.join.cost",
        ["join: device"] = "iotmesh.join.device",
        ["join: gateway"] = "iotmesh.join.gateway",
        ["join: nonce"] = "iotmesh.join.nonce",
        ["join: gateway nonce"] = "iotmesh.join.gateway_nonce",
        ["join: boot"] = "iotmesh.join.boot",
        ["join: counter"] = "iotmesh.join.counter",
        ["join: epoch"] = "iotmesh.join.epoch",
        ["join: key, sealed"] = "iotmesh.join.key",
        ["join: verdict"] = "iotmesh.join.verdict",
        ["join: proof"] = "iotmesh.join.proof",
    };

    private static readonly string[] _others =
    [
        "iotmesh.type", "iotmesh.class", "iotmesh.counter", "iotmesh.counter_low", "iotmesh.beacon.part", "iotmesh.beacon.parts",
        "iotmesh.route.destination", "iotmesh.route.metric", "iotmesh.route.seqno", "iotmesh.route.gateway", "iotmesh.request.destination",
        "iotmesh.request.seqno", "iotmesh.request.hop_limit", "iotmesh.message.kind", "iotmesh.message.counter", "iotmesh.message.counter_low",
        "iotmesh.message.boot", "iotmesh.join.step", "iotmesh.join.message",
    ];

    /// <summary>All fields that are compared.</summary>
    internal static IReadOnlyList<string> Names { get; } = [.. _plain.Values.Distinct(), .. _others];

    /// <summary>The values that the dissector must show for a frame.</summary>
    internal static Dictionary<string, List<string>> Of(FrameInspector inspector)
    {
        Dictionary<string, List<string>> expected = Names.ToDictionary(name => name, _ => new List<string>());
        foreach (FrameField field in inspector.Fields)
        {
            foreach ((string name, string value) in Translate(field))
            {
                if (value.Length > 0)
                {
                    expected[name].Add(value);
                }
            }
        }

        return expected;
    }

    /// <summary>tshark's way of writing a value.</summary>
    internal static string Normal(string value) => value switch
    {
        "True" => "1",
        "False" => "0",
        _ when value.StartsWith("0x", StringComparison.Ordinal) => Convert.ToInt64(value, 16).ToString(CultureInfo.InvariantCulture),
        _ => value,
    };

    private static IEnumerable<(string Name, string Value)> Translate(FrameField field)
    {
        string value = field.Value;
        switch (field.Name)
        {
            case "type":
                return [("iotmesh.type", Index(_types, value))];
            case "join: step":
                return [("iotmesh.join.step", Index(_joinSteps, value))];
            case "join: message":
                return [("iotmesh.join.message", Index(_joinMessages, value))];
            case "class":
                return [("iotmesh.class", Index(_classes, value))];
            case "message":
                return [("iotmesh.message.kind", Index(_kinds, value))];
            case "frame counter":
                return [(value.Contains("low half", StringComparison.Ordinal) ? "iotmesh.counter_low" : "iotmesh.counter", First(value))];
            case "  message counter":
                string[] words = value.Split([' ', ',', '('], StringSplitOptions.RemoveEmptyEntries);
                return words[1] == "boot"
                    ? [("iotmesh.message.counter", words[0]), ("iotmesh.message.boot", words[2])]
                    : [("iotmesh.message.counter_low", words[0])];
            case "part":
                words = value.Split(' ');
                string part = (int.Parse(words[0], CultureInfo.InvariantCulture) - 1).ToString(CultureInfo.InvariantCulture);
                return [("iotmesh.beacon.part", part), ("iotmesh.beacon.parts", words[2])];
            case "route":
                return Route(value);
            case "asks for":
                return Request(value);
            case "  ciphertext" or "  end-to-end tag" or "hop tag" or "join: nonce" or "join: gateway nonce" or "join: key, sealed" or "join: proof":
                return [(_plain[field.Name], First(value))];
            case "flags" or "extension":
                return [];
            default:
                return [(_plain[field.Name], Plain(value))];
        }
    }

    private static IEnumerable<(string Name, string Value)> Route(string value)
    {
        Match route = RoutePattern().Match(value);
        Assert.True(route.Success, value);
        string metric = route.Groups["metric"].Success ? route.Groups["metric"].Value : "32767";
        return
        [
            ("iotmesh.route.destination", route.Groups["to"].Value),
            ("iotmesh.route.metric", metric),
            ("iotmesh.route.seqno", route.Groups["seqno"].Value),
            ("iotmesh.route.gateway", value.EndsWith("a gateway", StringComparison.Ordinal) ? "1" : "0"),
        ];
    }

    private static IEnumerable<(string Name, string Value)> Request(string value)
    {
        if (value == "the whole table")
        {
            return [("iotmesh.request.destination", "0"), ("iotmesh.request.seqno", "*"), ("iotmesh.request.hop_limit", "*")];
        }

        string[] words = value.Split([' ', ','], StringSplitOptions.RemoveEmptyEntries);
        return
        [
            ("iotmesh.request.seqno", words[1]), ("iotmesh.request.destination", words[3]), ("iotmesh.request.hop_limit", words[6]),
        ];
    }

    private static string Index(string[] names, string value)
    {
        int index = Array.IndexOf(names, value);
        Assert.True(index >= 0, $"the test knows no '{value}'");
        return index.ToString(CultureInfo.InvariantCulture);
    }

    private static string Plain(string value) => value switch
    {
        "all" => "65535",
        "any gateway" => "65534",
        "none" => "0",
        "yes" => "1",
        "no" => "0",
        "all versions" => "255",
        _ when value.StartsWith("0b", StringComparison.Ordinal) => Convert.ToInt32(value[2..], 2).ToString(CultureInfo.InvariantCulture),
        _ => First(value),
    };

    private static string First(string value) => value.Split(' ')[0];

    [GeneratedRegex(@"^(?<to>\d+): (unreachable|metric (?<metric>\d+)), seqno (?<seqno>\d+)(, a gateway)?$")]
    private static partial Regex RoutePattern();
}
