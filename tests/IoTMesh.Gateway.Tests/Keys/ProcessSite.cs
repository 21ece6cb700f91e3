using System.Text.Json;
using IoTMesh.Gateway.Tests.Bridge;
using IoTMesh.Gateway.Tests.CommandLine;

namespace IoTMesh.Gateway.Tests.Keys;

/// <summary>A site of processes as a person starts them: air, gateway, nodes, and commands beside them.</summary>
internal sealed class ProcessSite : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("iotmesh-keys-");
    private readonly Dictionary<ushort, Iotmesh> _nodes = [];
    private readonly List<string> _outputs = [];
    private readonly int _airPort = Mosquitto.FreePort();
    private Iotmesh? _air;
    private Iotmesh? _gateway;

    internal string Data => Path.Combine(_folder.FullName, "data");

    internal HttpClient Http { get; private set; } = new();

    internal int MqttPort { get; private set; }

    /// <summary>All that the gateway and the commands have written so far.</summary>
    internal IEnumerable<string> Outputs => [.. _outputs, _gateway?.Output ?? "", _gateway?.Error ?? ""];

    internal string File(string name)
    {
        return Path.Combine(_folder.FullName, name);
    }

    /// <summary>Runs a command that must succeed; its output.</summary>
    internal async Task<string> RunAsync(params string[] args)
    {
        (int code, string output, string error) = await Iotmesh.RunAsync([.. args, "--data", Data]);
        _outputs.AddRange([output, error]);
        Assert.Equal((0, ""), (code, error));
        return output;
    }

    internal void StartAir(int nodes)
    {
        _air = Iotmesh.Start("air", "--topology", "line", "--nodes", $"{nodes}", "--port", $"{_airPort}");
    }

    internal async Task StartGatewayAsync()
    {
        string settings = File("settings.json");
        System.IO.File.WriteAllText(
            settings,
            $$"""
            {
              "http": { "listen": "127.0.0.1:0" }, "mqtt": { "listen": "127.0.0.1:0" }, "air": "127.0.0.1:{{_airPort}}",
              "keys": { "overlapSeconds": 5 },
            }
            """);
        Iotmesh gateway = Iotmesh.Start("run", "--settings", settings, "--data", Data);
        _gateway = gateway;
        await Eventually.HoldsAsync(() => gateway.Output.Contains("\npages: ", StringComparison.Ordinal), $"the gateway runs: {gateway.Error}");
        Http.Dispose();
        Http = new HttpClient { BaseAddress = new Uri(LineOf(gateway, "pages: ")) };
        MqttPort = int.Parse(LineOf(gateway, "MQTT: ").Split(':')[^1]);
    }

    internal void KillGateway()
    {
        _gateway!.Kill();
        _outputs.AddRange([_gateway.Output, _gateway.Error]);
        _gateway.Dispose();
        _gateway = null;
    }

    internal void StartNode(ushort address)
    {
        _nodes[address] = Iotmesh.Start(
            "node", "--settings", File($"{address}.conf"), "--data", File($"node-{address}"), "--air", $"127.0.0.1:{_airPort}", "--period", "1");
    }

    internal void KillNode(ushort address)
    {
        _nodes.Remove(address, out Iotmesh? node);
        node!.Dispose();
    }

    /// <summary>Sequence numbers of the readings that the gateway has of a node, ascending.</summary>
    internal async Task<IReadOnlyList<long>> ReadingsAsync(ushort address)
    {
        using JsonDocument readings = JsonDocument.Parse(await Http.GetStringAsync($"api/v1/nodes/node-{address}/readings?limit=10000"));
        return
        [
            .. readings.RootElement.EnumerateArray().Select(r => (r.GetProperty("boot").GetInt64() << 32) | r.GetProperty("seq").GetInt64()).Order(),
        ];
    }

    internal async Task<JsonElement> KeysAsync()
    {
        using JsonDocument keys = JsonDocument.Parse(await Http.GetStringAsync("api/v1/keys"));
        return keys.RootElement.Clone();
    }

    /// <summary>Waits until that many more readings of a node have come.</summary>
    internal async Task MoreAsync(ushort address, int more = 3)
    {
        int before = (await ReadingsAsync(address)).Count;
        await EventuallyAsync(async () => (await ReadingsAsync(address)).Count >= before + more, $"{more} more readings of node {address}");
    }

    internal static async Task EventuallyAsync(Func<Task<bool>> condition, string what, int timeoutMs = 90_000)
    {
        for (long until = Environment.TickCount64 + timeoutMs; !await condition(); await Task.Delay(100))
        {
            Assert.True(Environment.TickCount64 < until, $"not within {timeoutMs / 1000} s: {what}");
        }
    }

    public void Dispose()
    {
        Http.Dispose();
        foreach (Iotmesh process in _nodes.Values.Append(_gateway).Append(_air).OfType<Iotmesh>())
        {
            process.Dispose();
        }

        _folder.Delete(recursive: true);
    }

    private static string LineOf(Iotmesh gateway, string start)
    {
        return gateway.Output.Split('\n').First(l => l.StartsWith(start, StringComparison.Ordinal))[start.Length..];
    }
}
