using System.Net;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json;
using IoTMesh.Gateway.Tests.Bridge;

namespace IoTMesh.Gateway.Tests.Service;

/// <summary>Readings, commands, REST and metrics over real nodes, the real mesh, the real broker and real HTTP.</summary>
public sealed class GatewayServiceTests(SiteFixture site) : IClassFixture<SiteFixture>
{
    private const string FarNode = "node-5";

    [Fact]
    public async Task Every_node_has_a_state_with_units_an_availability_and_links_on_mqtt()
    {
        await using StateCollector all = await SubscribeAsync("iotmesh/v1/t/node/#");
        string[] leaves = ["state", "avail", "link"];
        foreach (string topic in Enumerable.Range(2, SiteFixture.Nodes).SelectMany(a => leaves.Select(l => $"iotmesh/v1/t/node/node-{a}/{l}")))
        {
            await Eventually.HoldsAsync(() => all.Messages.Any(m => m.Topic == topic), topic);
        }

        JsonElement state = StateCollector.Json(all.Messages.Last(m => m.Topic == $"iotmesh/v1/t/node/{FarNode}/state"));
        Assert.Equal("°C", state.GetProperty("units").GetProperty("temperature").GetString());
        Assert.InRange(state.GetProperty("temperature").GetDouble(), -60, 80);
        Assert.Equal("gw1", state.GetProperty("via").GetString());
        Assert.Equal(SiteFixture.Nodes, state.GetProperty("hops").GetInt32());
        long nowMs = DateTimeOffset.UtcNow.ToUnixTimeMilliseconds();
        Assert.InRange(state.GetProperty("ts").GetInt64(), nowMs - 60_000, nowMs);
    }

    [Fact]
    public async Task A_command_reaches_a_node_hops_away_and_its_answer_has_the_same_id()
    {
        await OnlineAsync();
        await using StateCollector events = await SubscribeAsync($"iotmesh/v1/t/node/{FarNode}/event");
        await events.PublishAsync($"iotmesh/v1/t/node/{FarNode}/set", "{\"id\":\"a1\",\"led\":true}");
        await events.PublishAsync($"iotmesh/v1/t/node/{FarNode}/get", "{\"id\":17,\"key\":\"no-such-key\"}");
        await Eventually.HoldsAsync(() => events.Messages.Count >= 2, "two answers");
        Assert.Contains(events.Messages, m => StateCollector.Text(m).StartsWith(
            $"{{\"type\":\"response\",\"id\":\"a1\",\"op\":\"set\",\"node\":\"{FarNode}\",\"ok\":true,\"values\":{{\"led\":true}}",
            StringComparison.Ordinal));
        Assert.Contains(events.Messages, m => StateCollector.Text(m).StartsWith(
            $"{{\"type\":\"response\",\"id\":17,\"op\":\"get\",\"node\":\"{FarNode}\",\"ok\":false,\"error\":\"", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_request_with_a_response_topic_is_answered_there_too()
    {
        await OnlineAsync();
        await using StateCollector answers = await SubscribeAsync("answers/here");
        await answers.PublishAsync(
            "iotmesh/v1/t/gw/gw1/req/ping", $"{{\"id\":\"p\",\"node\":\"{FarNode}\"}}",
            m => m with { ResponseTopic = "answers/here", CorrelationData = "c7"u8.ToArray() });
        await Eventually.HoldsAsync(() => answers.Messages.Count == 1, "the answer");
        Assert.Equal("c7", Encoding.ASCII.GetString(answers.Messages[0].CorrelationData.Span));
        Assert.True(StateCollector.Json(answers.Messages[0]).GetProperty("ok").GetBoolean());
    }

    [Fact]
    public async Task Home_assistant_finds_each_device_and_hears_again_when_it_starts()
    {
        await OnlineAsync();
        await using StateCollector configs = await SubscribeAsync("homeassistant/device/+/config");
        await Eventually.HoldsAsync(() => configs.Messages.Any(IsWhole), "a configuration with temperature and LED");
        JsonElement config = StateCollector.Json(configs.Messages.Last(IsWhole));
        Assert.Equal("all", config.GetProperty("availability_mode").GetString());
        Assert.Equal("IoTMesh", config.GetProperty("o").GetProperty("name").GetString());
        JsonElement temperature = config.GetProperty("cmps").GetProperty("temperature");
        Assert.Equal(("sensor", "°C", "temperature"), (
            temperature.GetProperty("p").GetString(), temperature.GetProperty("unit_of_measurement").GetString(),
            temperature.GetProperty("device_class").GetString()));
        Assert.Equal("switch", config.GetProperty("cmps").GetProperty("led").GetProperty("p").GetString());
        int before = configs.Messages.Count;
        await configs.PublishAsync("homeassistant/status", "online");
        await Eventually.HoldsAsync(() => configs.Messages.Count >= before + SiteFixture.Nodes + 1, "all configurations again");
    }

    [Fact]
    public async Task Rest_shows_nodes_readings_topology_outbox_and_takes_commands()
    {
        await OnlineAsync();
        JsonElement nodes = await GetAsync("api/v1/nodes");
        Assert.Equal(SiteFixture.Nodes + 1, nodes.GetArrayLength());
        JsonElement node = await GetAsync($"api/v1/nodes/{FarNode}");
        Assert.True(node.GetProperty("online").GetBoolean());
        JsonElement readings = await GetAsync($"api/v1/nodes/{FarNode}/readings?limit=1");
        Assert.Equal("°C", readings[0].GetProperty("units").GetProperty("temperature").GetString());
        Assert.Equal(SiteFixture.Nodes + 1, (await GetAsync("api/v1/topology")).GetProperty("nodes").GetArrayLength());
        Assert.True((await GetAsync("api/v1/outbox")).GetProperty("broker_connected").GetBoolean());
        Assert.NotEqual(0, (await GetAsync("api/v1/events")).GetArrayLength());
        Assert.Equal(SiteFixture.Nodes, (await GetAsync("api/v1/gateway")).GetProperty("nodes").GetInt32());
        using HttpResponseMessage ping = await site.Http.PostAsJsonAsync($"api/v1/nodes/{FarNode}/commands", new { id = "x", op = "ping" });
        Assert.Equal(HttpStatusCode.OK, ping.StatusCode);
        Assert.Equal("x", (await ping.Content.ReadFromJsonAsync<JsonElement>()).GetProperty("id").GetString());
    }

    [Theory]
    [InlineData("api/v1/nodes/nobody", HttpStatusCode.NotFound)]
    [InlineData("api/v1/nodes/node-2/readings?limit=many", HttpStatusCode.BadRequest)]
    [InlineData("api/v1/nothing", HttpStatusCode.NotFound)]
    public async Task What_is_not_there_is_said_in_json(string path, HttpStatusCode expected)
    {
        using HttpResponseMessage answer = await site.Http.GetAsync(path);
        Assert.Equal(expected, answer.StatusCode);
        Assert.NotEqual("", (await answer.Content.ReadFromJsonAsync<JsonElement>()).GetProperty("error").GetString());
    }

    [Fact]
    public async Task The_openapi_document_names_every_path_and_the_page_is_whole()
    {
        JsonElement document = await GetAsync("openapi/v1.json");
        string[] paths = document.GetProperty("paths").EnumerateObject().Select(p => p.Name).ToArray();
        string[] promised = ["gateway", "nodes", "nodes/{id}", "nodes/{id}/readings", "nodes/{id}/commands", "topology", "events", "outbox"];
        foreach (string path in promised)
        {
            Assert.Contains("/api/v1/" + path, paths);
        }

        string page = await site.Http.GetStringAsync("api");
        Assert.Contains("/openapi/v1.json", page);
        Assert.DoesNotContain("https://", page);
    }

    [Fact]
    public async Task Metrics_are_in_the_text_format_with_the_promised_names()
    {
        await OnlineAsync();
        string text = await site.Http.GetStringAsync("metrics");
        foreach (string name in (string[])[
            "iotmesh_node_up", "iotmesh_node_rssi_dbm", "iotmesh_node_hops", "iotmesh_node_battery_ratio", "iotmesh_node_last_seen_seconds",
            "iotmesh_frames_total", "iotmesh_route_changes_total", "iotmesh_duplicates_dropped_total", "iotmesh_outbox_depth", "iotmesh_outbox_bytes",
            "iotmesh_outbox_oldest_seconds", "iotmesh_mqtt_connected", "iotmesh_mqtt_published_total", "iotmesh_mqtt_puback_seconds",
            "iotmesh_command_seconds"])
        {
            Assert.Contains($"# TYPE {name} ", text);
        }

        Assert.Contains($"iotmesh_node_up{{node=\"{FarNode}\"}} 1\n", text);
        Assert.All(
            text.Split('\n', StringSplitOptions.RemoveEmptyEntries).Where(l => l[0] != '#'),
            line => Assert.Matches("^[a-z_]+(\\{[a-z]+=\"[^\"]*\"(,[a-z]+=\"[^\"]*\")*\\})? -?[0-9.E+-]+$", line));
    }

    [Fact]
    public async Task Health_is_ok_while_the_broker_is_there()
    {
        await OnlineAsync();
        Assert.Equal("ok", (await GetAsync("healthz")).GetProperty("status").GetString());
    }

    [Theory]
    [InlineData("Host", "evil.example")]
    [InlineData("Origin", "http://evil.example")]
    public async Task Another_web_site_in_the_same_browser_is_refused(string header, string value)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, "api/v1/nodes");
        request.Headers.Add(header, value);
        using HttpResponseMessage answer = await site.Http.SendAsync(request);
        Assert.Equal(HttpStatusCode.Forbidden, answer.StatusCode);
    }

    private static bool IsWhole(IoTMesh.Mqtt.MqttMessage message)
    {
        string text = StateCollector.Text(message);
        return text.Contains("\"temperature\":{", StringComparison.Ordinal) && text.Contains("\"led\":{", StringComparison.Ordinal);
    }

    private Task OnlineAsync()
    {
        return Eventually.HoldsAsync(
            () => site.Gateway.Live.Current.Nodes.All(n => n.Online && (n.IsGateway || n.Readings.Count > 0)) && site.Gateway.Store.OutboxDepth == 0
                && site.Gateway.Registry.Devices.All(d => d.Keys.Count > 0),
            "all nodes are online and described");
    }

    private async Task<StateCollector> SubscribeAsync(string filter)
    {
        var collector = new StateCollector(site.Gateway.MqttPort, filter);
        await collector.StartAsync();
        return collector;
    }

    private Task<JsonElement> GetAsync(string path)
    {
        return site.Http.GetFromJsonAsync<JsonElement>(path);
    }
}
