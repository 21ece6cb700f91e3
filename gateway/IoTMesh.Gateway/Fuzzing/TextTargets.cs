using System.Text;
using IoTMesh.Gateway.Bridge;
using IoTMesh.Gateway.Settings;
using IoTMesh.Node;
using IoTMesh.Simulation;

namespace IoTMesh.Gateway.Fuzzing;

/// <summary>A reader of text: files that people write, bodies of requests.</summary>
/// <param name="isAnswer">The exception by which it says what is wrong.</param>
internal sealed class TextTarget(
    string[] samples, Func<byte[], int, ulong> read, Func<Exception, bool> isAnswer, long allocatedBytesMax) : FuzzTarget
{
    internal override IReadOnlyList<byte[]> Samples { get; } = [.. samples.Select(Encoding.UTF8.GetBytes)];

    internal override int InputBytesMax => 3_000;

    internal override long AllocatedBytesMax => allocatedBytesMax;

    internal override bool IsText => true;

    internal override ulong Feed(byte[] input, int count) => read(input, count);

    internal override bool IsAnswer(Exception error) => isAnswer(error) && !error.Message.Contains('\n', StringComparison.Ordinal);
}

/// <summary>Readers of settings, scenarios, topologies and requests.</summary>
internal static class TextTargets
{
    private static readonly string _nodeSettings = new NodeSettings
    {
        Address = 7,
        DeviceId = 0x1122334455667788,
        Name = "Küche",
        NetworkId = 5,
        NetworkKey = new byte[16],
        DeviceKey = new byte[16],
        PairwiseShare = new byte[Core.PairwiseKeys.ShareLength],
        WifiSsid = "home",
    }.Write();

    internal static FuzzTarget NodeSettings() => new TextTarget(
        [_nodeSettings],
        (input, count) =>
        {
            var settings = IoTMesh.Node.NodeSettings.Parse("node.conf", Encoding.UTF8.GetString(input, 0, count), out string error);
            return settings is not null ? 1 : error.Contains('\n', StringComparison.Ordinal)
                ? throw new FuzzException("an error of several lines")
                : OutcomeOf(error);
        },
        _ => false,
        256 * 1024);

    internal static FuzzTarget GatewaySettings() => new TextTarget(
        [
            """
            { "site": "home", "gateway": "gw1", "address": 1, "air": "127.0.0.1:17700", "offlineAfterSeconds": 10,
              "mqtt": { "broker": "own", "listen": "127.0.0.1:1883", "window": 100,
                "users": [ { "user": "a", "passwordHash": "pbkdf2-sha256$1$00$00" } ] },
              "http": { "listen": "[::1]:8080", "tokens": [ { "name": "p", "tokenHash": "pbkdf2-sha256$1$00$00" } ] },
              "storage": { "keepDays": 30, "outboxMax": 1000000 }, // kept
              "homeAssistant": { "enabled": true, "prefix": "homeassistant" }, }
            """,
            """{ "mqtt": { "broker": "broker.example:8883", "tls": true, "user": "gw1", "password": "x", "protocol": 5 } }""",
            "{}",
        ],
        (input, count) => (uint)SettingsFile.Parse("settings.json", input.AsSpan(0, count)).Site.Length | 0x100UL,
        e => e is SettingsException,
        512 * 1024);

    internal static FuzzTarget Scenario() => new TextTarget(
        [
            """
            { "name": "a", "seed": 1, "durationSeconds": 120,
              "topology": { "kind": "grid4", "nodes": 9, "loss": 0.1, "gateways": [1], "sleepy": [5] },
              "traffic": [ { "from": [1], "to": "all", "periodSeconds": 2, "payloadBytes": 20, "startSeconds": 30 },
                { "from": "all", "to": "gateway", "periodSeconds": 0.5, "payloadBytes": 160, "class": "bulk" } ],
              "faults": [ { "atSeconds": 5, "kill": 2 }, { "atSeconds": 7, "cut": [1, 2] }, { "atSeconds": 9, "partition": [[1, 2], [3]] } ] }
            """,
            """
            { "durationSeconds": 60, "topology": { "kind": "line", "nodes": 6 }, "clockDriftPpm": 20, "join": true, "realTimeTwice": true,
              "radio": { "model": "physical", "phy": "espnow", "unitMeters": 60, "pathLossExponent": 3.5, "shadowingDb": 4 } }
            """,
        ],
        (input, count) => (uint)Simulation.Scenario.Parse("scenario.json", input.AsSpan(0, count)).Traffic.Count | 0x100UL,
        e => e is InputException,
        2 * 1024 * 1024);

    internal static FuzzTarget Topology() => new TextTarget(
        [
            """{ "nodes": 3, "links": [ [1, 2, 0.9, -60], [2, 1, 0.8, -61], [2, 3, 1, -50] ], "positions": [ [0, 0], [1, 0], [2, 0] ] }""",
            """{ "nodes": 2, "links": [ { "from": 1, "to": 2, "delivery": 0.9, "rssiDbm": -60 } ] }""",
            """{ "topology": { "kind": "line", "nodes": 6, "loss": 0.2 } }""",
            """{ "kind": "grid8", "nodes": 12, "columns": 4, "gateways": [1, 12] }""",
        ],
        (input, count) => (uint)TopologyFile.Parse("topology.json", input.AsSpan(0, count)).NodeCount | 0x10000UL,
        e => e is InputException,
        64 * 1024 * 1024);

    internal static FuzzTarget RestBody() => new TextTarget(
        [
            """{"op":"set","led":true}""", """{"id":"a1","key":"led","value":-12}""", """{"id":7,"op":"ping"}""", """{"op":"get","key":"led"}""",
            """{"id":"a","led":"text","period":10}""", "",
        ],
        (input, count) =>
        {
            CommandRequest request = CommandRequest.Parse("set", input.AsMemory(0, count).ToArray());
            return request.Error is null ? ((ulong)(uint)request.Steps.Count << 8) | 1 : OutcomeOf(request.Error);
        },
        _ => false,
        256 * 1024);

    // The first word and the length say which of the errors it is.
    private static ulong OutcomeOf(string error)
    {
        ulong hash = 3;
        foreach (char c in error.AsSpan(0, Math.Min(error.Length, 60)))
        {
            hash = char.IsAsciiLetterLower(c) ? (hash * 31) + c : hash;
        }

        return hash;
    }
}
