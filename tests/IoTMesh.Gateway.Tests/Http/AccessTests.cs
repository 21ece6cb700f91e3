using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Net.WebSockets;
using System.Text.Json;
using IoTMesh.Gateway.Http;
using IoTMesh.Gateway.Settings;

namespace IoTMesh.Gateway.Tests.Http;

/// <summary>Who may do what over REST, with passwords and tokens.</summary>
public sealed class AccessTests(SecuredSite site) : IClassFixture<SecuredSite>
{
    [Theory]
    [InlineData("GET", "api/v1/me", Role.Viewer)]
    [InlineData("GET", "api/v1/gateway", Role.Viewer)]
    [InlineData("GET", "api/v1/outbox", Role.Viewer)]
    [InlineData("GET", "api/v1/events", Role.Viewer)]
    [InlineData("GET", "api/v1/topology", Role.Viewer)]
    [InlineData("GET", "api/v1/nodes", Role.Viewer)]
    [InlineData("GET", "api/v1/nodes/nobody/readings", Role.Viewer)]
    [InlineData("GET", "metrics", Role.Viewer)]
    [InlineData("GET", "openapi/v1.json", Role.Viewer)]
    [InlineData("GET", "api", Role.Viewer)]
    [InlineData("GET", "", Role.Viewer)]
    [InlineData("GET", "node/node-2", Role.Viewer)]
    [InlineData("POST", "api/v1/nodes/nobody/commands", Role.Operator)]
    [InlineData("PATCH", "api/v1/nodes/nobody", Role.Operator)]
    [InlineData("GET", "api/v1/nodes/nobody/ping", Role.Operator)]
    [InlineData("GET", "api/v1/nodes/nobody/trace", Role.Operator)]
    [InlineData("DELETE", "api/v1/nodes/nobody", Role.Admin)]
    [InlineData("GET", "api/v1/keys", Role.Viewer)]
    [InlineData("POST", "api/v1/permit-join", Role.Operator)]
    [InlineData("POST", "api/v1/nodes/nobody/revoke", Role.Admin)]
    [InlineData("GET", "api/v1/audit", Role.Admin)]
    [InlineData("GET", "api/v1/users", Role.Admin)]
    [InlineData("GET", "api/v1/tokens", Role.Admin)]
    [InlineData("POST", "api/v1/tokens", Role.Admin)]
    [InlineData("DELETE", "api/v1/tokens/none", Role.Admin)]
    public async Task Each_endpoint_takes_its_role_and_those_above_it(string method, string path, Role least)
    {
        foreach (Role? role in (Role?[])[null, Role.Viewer, Role.Operator, Role.Admin])
        {
            using HttpClient http = site.Program(role);
            using var request = new HttpRequestMessage(new HttpMethod(method), new Uri(path, UriKind.Relative));
            request.Content = method is "GET" or "DELETE" ? null : JsonContent.Create(new { op = "ping", name = "", role = "none" });
            using HttpResponseMessage answer = await http.SendAsync(request);
            string text = await answer.Content.ReadAsStringAsync();
            if (role is null)
            {
                Assert.True(answer.StatusCode == HttpStatusCode.Unauthorized, $"{(int)answer.StatusCode} {text}");
                Assert.Contains("iotmesh token create", text);
            }
            else if (role < least)
            {
                Assert.True(answer.StatusCode == HttpStatusCode.Forbidden, $"{(int)answer.StatusCode} {text}");
                string name = SecuredSite.NameOf(role.Value);
                Assert.Equal($"{{\"error\":\"this needs the role {SecuredSite.NameOf(least)}; {name} is {name}\"}}", text);
            }
            else
            {
                Assert.True(
                    answer.StatusCode is HttpStatusCode.OK or HttpStatusCode.NotFound or HttpStatusCode.BadRequest,
                    $"{(int)answer.StatusCode} {text}");
            }
        }
    }

    [Fact]
    public async Task A_token_has_the_role_it_was_made_with_until_it_is_revoked_and_leaves_only_its_hash()
    {
        using HttpClient admin = site.Program(Role.Admin);
        using HttpResponseMessage made = await admin.PostAsJsonAsync("api/v1/tokens", new { name = "script", role = "operator", days = 3 });
        string token = (await made.Content.ReadFromJsonAsync<JsonElement>()).GetProperty("token").GetString()!;
        Assert.Equal((HttpStatusCode.Created, 48), (made.StatusCode, token.Length));
        using HttpResponseMessage twice = await admin.PostAsJsonAsync("api/v1/tokens", new { name = "script", role = "viewer" });
        Assert.Equal(HttpStatusCode.BadRequest, twice.StatusCode);

        using HttpClient script = site.Program(null);
        script.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", token);
        Assert.Equal("{\"name\":\"script\",\"role\":\"operator\"}", await script.GetStringAsync("api/v1/me"));
        using HttpResponseMessage denied = await script.GetAsync("api/v1/users");
        Assert.Equal(HttpStatusCode.Forbidden, denied.StatusCode);
        Assert.DoesNotContain(token, await File.ReadAllTextAsync(Path.Combine(site.Folder, "tokens.json")));
        Assert.DoesNotContain("sha256", await admin.GetStringAsync("api/v1/tokens"));

        using HttpResponseMessage revoked = await admin.DeleteAsync("api/v1/tokens/script");
        Assert.Equal(HttpStatusCode.NoContent, revoked.StatusCode);
        using HttpResponseMessage after = await script.GetAsync("api/v1/me");
        Assert.Equal(HttpStatusCode.Unauthorized, after.StatusCode);
        await site.AuditHasAsync("admin: create-token script: operator");
        await site.AuditHasAsync("admin: revoke-token script: ok");
        await site.AuditHasAsync("unknown token: login 127.0.0.1: unknown, revoked or expired token");
    }

    [Fact]
    public async Task A_token_made_on_the_command_line_is_good_at_once()
    {
        using HttpClient http = site.Program(null);
        var beside = new TokenFile(site.Folder);
        http.DefaultRequestHeaders.Authorization = new("Bearer", beside.Create("beside", Role.Viewer, null, DateTimeOffset.UtcNow));
        Assert.Contains("\"viewer\"", await http.GetStringAsync("api/v1/me"));
        Assert.True(beside.Revoke("beside"));
        using HttpResponseMessage after = await http.GetAsync("api/v1/me");
        Assert.Equal(HttpStatusCode.Unauthorized, after.StatusCode);
    }

    [Fact]
    public async Task The_live_connection_of_the_pages_is_refused_without_a_login()
    {
        using HttpClient http = site.Program(null);
        using HttpResponseMessage negotiate = await http.PostAsync("_blazor/negotiate?negotiateVersion=1", null);
        Assert.Equal(HttpStatusCode.Unauthorized, negotiate.StatusCode);
        using var socket = new ClientWebSocket();
        socket.Options.CollectHttpResponseDetails = true;
        var address = new UriBuilder(site.Gateway.Address) { Scheme = "ws", Path = "/_blazor" };
        await Assert.ThrowsAsync<WebSocketException>(() => socket.ConnectAsync(address.Uri, CancellationToken.None));
        Assert.Equal(HttpStatusCode.Unauthorized, socket.HttpStatusCode);
    }

    [Theory]
    [InlineData("http://evil.example", "api/v1/me")]
    [InlineData("null", "_blazor/negotiate?negotiateVersion=1")]
    public async Task Another_site_gets_nothing_with_a_good_login(string origin, string path)
    {
        using HttpClient http = site.Program(Role.Admin);
        http.DefaultRequestHeaders.Add("Origin", origin);
        using HttpResponseMessage answer = await http.PostAsync(new Uri(path, UriKind.Relative), null);
        Assert.Equal(HttpStatusCode.Forbidden, answer.StatusCode);
    }

    [Fact]
    public async Task Health_and_login_are_for_anybody_and_every_answer_has_the_headers()
    {
        using HttpClient http = site.Program(null);
        foreach ((string path, HttpStatusCode expected) in ((string, HttpStatusCode)[])[
            ("healthz", HttpStatusCode.OK), ("login", HttpStatusCode.OK), ("api/v1/me", HttpStatusCode.Unauthorized)])
        {
            using HttpResponseMessage answer = await http.GetAsync(new Uri(path, UriKind.Relative));
            Assert.Equal(expected, answer.StatusCode);
            string policy = answer.Headers.GetValues("Content-Security-Policy").Single();
            Assert.Contains("frame-ancestors 'none'", policy);
            Assert.Contains("script-src 'self'", policy);
            Assert.Equal("nosniff", answer.Headers.GetValues("X-Content-Type-Options").Single());
            Assert.Equal("DENY", answer.Headers.GetValues("X-Frame-Options").Single());
            Assert.Equal("same-origin", answer.Headers.GetValues("Referrer-Policy").Single());
            Assert.True(answer.Headers.CacheControl!.NoStore);
        }
    }

    [Fact]
    public async Task The_openapi_document_says_how_to_log_in_and_which_role_is_needed()
    {
        using HttpClient http = site.Program(Role.Viewer);
        JsonElement document = await http.GetFromJsonAsync<JsonElement>("openapi/v1.json");
        JsonElement schemes = document.GetProperty("components").GetProperty("securitySchemes");
        Assert.Equal("bearer", schemes.GetProperty("token").GetProperty("scheme").GetString());
        Assert.Equal(3, document.GetProperty("security").GetArrayLength());
        JsonElement command = document.GetProperty("paths").GetProperty("/api/v1/nodes/{id}/commands").GetProperty("post");
        Assert.EndsWith("Role: operator.", command.GetProperty("description").GetString());
        Assert.True(command.GetProperty("responses").TryGetProperty("403", out _));
    }

    [Theory]
    [InlineData("", false)]
    [InlineData("user", true)]
    [InlineData("token", true)]
    public void Beyond_this_machine_it_starts_only_with_a_user_or_a_token(string has, bool starts)
    {
        var tokens = new TokenFile(null);
        var settings = new HttpSettings { Listen = new("0.0.0.0", 0), Users = has == "user" ? [new("u", "h", Role.Viewer)] : [] };
        if (has == "token")
        {
            tokens.Create("t", Role.Viewer, null, DateTimeOffset.UtcNow);
        }

        Exception? e = Record.Exception(() => HttpHost.CheckReach(settings, tokens));
        Assert.Equal(starts, e is null);
        Assert.Equal(!starts, e is SettingsException && e.Message.StartsWith("http.listen: 0.0.0.0:0 can be reached", StringComparison.Ordinal));
    }
}
