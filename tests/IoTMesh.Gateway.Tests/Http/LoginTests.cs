using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using IoTMesh.Gateway.Settings;

namespace IoTMesh.Gateway.Tests.Http;

/// <summary>The login of the pages as a browser without JavaScript sees it.</summary>
public sealed class LoginTests : IAsyncLifetime
{
    private readonly SecuredSite _site = new();

    public Task InitializeAsync() => _site.InitializeAsync();

    public Task DisposeAsync() => _site.DisposeAsync();

    [Fact]
    public async Task A_page_leads_to_the_login_and_back_and_the_cookie_is_closed_to_scripts_and_other_sites()
    {
        using HttpClient browser = _site.Browser(out CookieContainer cookies);
        using HttpResponseMessage page = await browser.GetAsync("node/node-2?x=1");
        Assert.Equal((HttpStatusCode.Redirect, "/login?to=%2Fnode%2Fnode-2%3Fx%3D1"), (page.StatusCode, page.Headers.Location!.ToString()));
        using HttpResponseMessage login = await SecuredSite.LoginAsync(browser, "viewer", "viewer-password", "/node/node-2?x=1");
        Assert.Equal((HttpStatusCode.SeeOther, "/node/node-2?x=1"), (login.StatusCode, login.Headers.Location!.ToString()));
        string cookie = login.Headers.GetValues("Set-Cookie").Single(c => c.StartsWith("iotmesh=", StringComparison.Ordinal));
        Assert.Contains("httponly", cookie);
        Assert.Contains("samesite=strict", cookie);
        string html = await browser.GetStringAsync("");
        Assert.Contains("Sign out", html);
        Assert.Contains("viewer", html);
        await _site.AuditHasAsync("viewer: login 127.0.0.1: ok");
        Assert.NotEmpty(cookies.GetAllCookies());
    }

    [Theory]
    [InlineData("//evil.example/")]
    [InlineData("/\\evil.example")]
    [InlineData("https://evil.example/")]
    public async Task The_login_leads_to_no_other_site(string to)
    {
        using HttpClient browser = _site.Browser(out _);
        using HttpResponseMessage login = await SecuredSite.LoginAsync(browser, "viewer", "viewer-password", to);
        Assert.Equal((HttpStatusCode.SeeOther, "/"), (login.StatusCode, login.Headers.Location!.ToString()));
    }

    [Fact]
    public async Task Wrong_passwords_are_written_down_and_slow_down_their_address()
    {
        using HttpClient browser = _site.Browser(out _);
        for (int i = 0; i < 4; i++)
        {
            using HttpResponseMessage wrong = await SecuredSite.LoginAsync(browser, i == 0 ? "hunter2" : "admin", "wrong");
            Assert.Equal(HttpStatusCode.Unauthorized, wrong.StatusCode);
            Assert.Contains("Wrong user name or password.", await wrong.Content.ReadAsStringAsync());
        }

        using HttpResponseMessage right = await SecuredSite.LoginAsync(browser, "admin", "admin-password");
        Assert.Equal(HttpStatusCode.TooManyRequests, right.StatusCode);
        Assert.Equal(TimeSpan.FromSeconds(1), right.Headers.RetryAfter!.Delta);
        await IoTMesh.Gateway.Tests.Bridge.Eventually.HoldsAsync(
            () => _site.Audit.Count(l => l == "admin: login 127.0.0.1: wrong user name or password") == 3, "three failures are in the audit");
        await _site.AuditHasAsync("unknown user: login 127.0.0.1: wrong user name or password");
        Assert.DoesNotContain(_site.Audit, l => l.Contains("hunter2", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_login_without_the_forms_token_is_refused()
    {
        using HttpClient browser = _site.Browser(out CookieContainer cookies);
        using HttpResponseMessage answer = await SecuredSite.PostFormAsync(
            browser, "login", "", new() { ["user"] = "admin", ["password"] = "admin-password" });
        Assert.Equal(HttpStatusCode.BadRequest, answer.StatusCode);
        Assert.DoesNotContain(cookies.GetAllCookies(), c => c.Name == "iotmesh");
    }

    [Fact]
    public async Task A_session_survives_a_restart_and_its_keys_are_private()
    {
        using HttpClient browser = _site.Browser(out CookieContainer cookies);
        (await SecuredSite.LoginAsync(browser, "operator", "operator-password")).Dispose();
        await _site.Gateway.DisposeAsync();
        await _site.StartAsync();
        using var handler = new HttpClientHandler { CookieContainer = cookies, AllowAutoRedirect = false };
        using var later = new HttpClient(handler) { BaseAddress = _site.Gateway.Address };
        Assert.Equal("{\"name\":\"operator\",\"role\":\"operator\"}", await later.GetStringAsync("api/v1/me"));
        string keys = Path.Combine(_site.Folder, "session-keys");
        Assert.NotEmpty(Directory.GetFiles(keys));
        if (OperatingSystem.IsWindows())
        {
            return;
        }

        foreach (string file in Directory.GetFiles(keys))
        {
            Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(file));
        }

        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute, File.GetUnixFileMode(keys));
    }

    [Fact]
    public async Task A_session_ends_when_the_users_role_changes()
    {
        using HttpClient browser = _site.Browser(out CookieContainer cookies);
        (await SecuredSite.LoginAsync(browser, "admin", "admin-password")).Dispose();
        await _site.Gateway.DisposeAsync();
        _site.Http = _site.Http with { Users = [.. _site.Http.Users.Select(u => u.User == "admin" ? u with { Role = Role.Viewer } : u)] };
        await _site.StartAsync();
        using var handler = new HttpClientHandler { CookieContainer = cookies, AllowAutoRedirect = false };
        using var later = new HttpClient(handler) { BaseAddress = _site.Gateway.Address };
        using HttpResponseMessage answer = await later.GetAsync("api/v1/me");
        Assert.Equal(HttpStatusCode.Unauthorized, answer.StatusCode);
    }

    [Fact]
    public async Task After_logout_a_copy_of_the_cookie_opens_nothing()
    {
        using HttpClient browser = _site.Browser(out CookieContainer cookies);
        (await SecuredSite.LoginAsync(browser, "viewer", "viewer-password")).Dispose();
        string copy = cookies.GetCookieHeader(_site.Gateway.Address);
        using HttpResponseMessage logout = await SecuredSite.PostFormAsync(browser, "logout", await browser.GetStringAsync(""), []);
        Assert.Equal((HttpStatusCode.SeeOther, "/login"), (logout.StatusCode, logout.Headers.Location!.ToString()));
        Assert.DoesNotContain(cookies.GetAllCookies(), c => c.Name == "iotmesh");
        using HttpClient thief = _site.Program(null);
        thief.DefaultRequestHeaders.Add("Cookie", copy);
        using HttpResponseMessage stolen = await thief.GetAsync("api/v1/me");
        Assert.Equal(HttpStatusCode.Unauthorized, stolen.StatusCode);
        await _site.AuditHasAsync("viewer: logout 127.0.0.1: ok");
    }

    [Fact]
    public async Task A_command_by_session_is_written_down_with_its_user_and_outcome()
    {
        using HttpClient browser = _site.Browser(out _);
        (await SecuredSite.LoginAsync(browser, "operator", "operator-password")).Dispose();
        await IoTMesh.Gateway.Tests.Bridge.Eventually.HoldsAsync(
            () => _site.Gateway.Registry.Devices.All(d => d.Keys.Count > 0), "the node has told what it has");
        using HttpResponseMessage set = await browser.PostAsJsonAsync($"api/v1/nodes/{SecuredSite.Node}/commands", new { op = "set", led = true });
        Assert.True((await set.Content.ReadFromJsonAsync<JsonElement>()).GetProperty("ok").GetBoolean());
        await _site.AuditHasAsync($"operator: command {SecuredSite.Node}: set led: done");
        using HttpResponseMessage rename = await browser.PatchAsJsonAsync($"api/v1/nodes/{SecuredSite.Node}", new { name = "Roof" });
        await _site.AuditHasAsync($"operator: rename {SecuredSite.Node}: Roof");
    }
}
