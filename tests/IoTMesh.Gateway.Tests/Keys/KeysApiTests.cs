using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using IoTMesh.Gateway.Tests.Bridge;
using IoTMesh.Gateway.Tests.Service;

namespace IoTMesh.Gateway.Tests.Keys;

/// <summary>Join windows, the network key, revocation and the audit over REST and MQTT alike.</summary>
public sealed class KeysApiTests(SiteFixture site) : IClassFixture<SiteFixture>
{
    private const string Gw = "iotmesh/v1/t/gw/gw1/";

    [Fact]
    public async Task Rest_and_mqtt_permit_change_keys_revoke_and_say_so_in_the_audit()
    {
        await ProcessSite.EventuallyAsync(
            async () => (await KeysAsync()).GetProperty("members").EnumerateArray().All(HasJoined), "all have joined");
        await using var mqtt = new StateCollector(site.Gateway.MqttPort, "#");
        await mqtt.StartAsync();

        using HttpResponseMessage permitted = await site.Http.PostAsJsonAsync(
            "api/v1/permit-join", new { nodes = (string[])["node-2"], minutes = 5 });
        Assert.Equal("every device has joined already or is revoked", await TextAsync(permitted, "result"));
        Assert.True((await AskAsync(mqtt, "permit-join", "{\"id\":1,\"node\":\"all\",\"close\":true}")).GetProperty("ok").GetBoolean());
        Assert.Contains("minutes", (await AskAsync(mqtt, "permit-join", "{\"minutes\":0}")).GetProperty("error").GetString());

        Assert.Equal(1, (await AskAsync(mqtt, "keys", "{}")).GetProperty("data").GetProperty("epoch").GetInt32());
        using HttpResponseMessage rotated = await site.Http.PostAsync("api/v1/keys/rotate", null);
        Assert.Equal(HttpStatusCode.Accepted, rotated.StatusCode);
        await ProcessSite.EventuallyAsync(async () => (await KeysAsync()).GetProperty("epoch").GetInt32() == 2, "the network key is changed");
        await Eventually.HoldsAsync(
            () => mqtt.Messages.Any(m => m.Topic == Gw + "keys" && StateCollector.Json(m).GetProperty("epoch").GetInt32() == 2), "and MQTT says so");

        Assert.True((await AskAsync(mqtt, "revoke", "{\"node\":\"node-5\"}")).GetProperty("ok").GetBoolean());
        using HttpResponseMessage again = await site.Http.PostAsync("api/v1/nodes/node-5/revoke", null);
        Assert.Equal(HttpStatusCode.Conflict, again.StatusCode);
        const string Told = "\"source\":\"node-5\",\"text\":\"revoked";
        await Eventually.HoldsAsync(
            () => mqtt.Messages.Any(m => m.Topic == Gw + "event" && StateCollector.Text(m).Contains(Told, StringComparison.Ordinal)), "an event");
        using HttpResponseMessage command = await site.Http.PostAsJsonAsync("api/v1/nodes/node-5/commands", new { op = "ping" });
        Assert.Equal(HttpStatusCode.GatewayTimeout, command.StatusCode);
        using HttpResponseMessage set = await site.Http.PostAsJsonAsync("api/v1/nodes/node-2/commands", new { op = "set", led = true });
        Assert.Equal(HttpStatusCode.OK, set.StatusCode);

        string[] expected =
        [
            "local|command|node-2|set led: done", "mqtt|revoke|node-5|", "local|rotate-keys|network key|asked for", "mqtt|permit-join|all|",
            "gw1|join|node-2|accepted", "local|command|node-5|ping: ",
        ];
        foreach (string entry in expected)
        {
            await ProcessSite.EventuallyAsync(async () => (await AuditAsync()).Any(l => l.StartsWith(entry, StringComparison.Ordinal)), entry);
        }
    }

    [Theory]
    [InlineData("permit-join", "{\"minutes\":0}", HttpStatusCode.BadRequest)]
    [InlineData("permit-join", "{\"nodes\":[\"nobody\"]}", HttpStatusCode.NotFound)]
    [InlineData("nodes/nobody/revoke", "{}", HttpStatusCode.NotFound)]
    public async Task What_cannot_be_done_is_said_in_json(string path, string body, HttpStatusCode expected)
    {
        using var content = new StringContent(body, System.Text.Encoding.UTF8, "application/json");
        using HttpResponseMessage answer = await site.Http.PostAsync("api/v1/" + path, content);
        Assert.Equal(expected, answer.StatusCode);
        Assert.NotEqual("", await TextAsync(answer, "error"));
    }

    private async Task<IEnumerable<string>> AuditAsync()
    {
        JsonElement audit = await site.Http.GetFromJsonAsync<JsonElement>("api/v1/audit");
        return audit.EnumerateArray().Select(e => $"{Field(e, "who")}|{Field(e, "what")}|{Field(e, "target")}|{Field(e, "result")}");
    }

    private static async Task<string?> TextAsync(HttpResponseMessage answer, string name)
    {
        return (await answer.Content.ReadFromJsonAsync<JsonElement>()).GetProperty(name).GetString();
    }

    private static string Field(JsonElement entry, string name)
    {
        return entry.GetProperty(name).GetString()!;
    }

    private static bool HasJoined(JsonElement member)
    {
        return member.GetProperty("joined").ValueKind == JsonValueKind.String;
    }

    private async Task<JsonElement> KeysAsync()
    {
        return await site.Http.GetFromJsonAsync<JsonElement>("api/v1/keys");
    }

    private static async Task<JsonElement> AskAsync(StateCollector mqtt, string operation, string request)
    {
        int before = mqtt.Messages.Count(m => m.Topic == Gw + "res/" + operation);
        await mqtt.PublishAsync(Gw + "req/" + operation, request);
        await Eventually.HoldsAsync(() => mqtt.Messages.Count(m => m.Topic == Gw + "res/" + operation) > before, "an answer to " + operation);
        return StateCollector.Json(mqtt.Messages.Last(m => m.Topic == Gw + "res/" + operation));
    }
}
