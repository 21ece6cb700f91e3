using IoTMesh.Gateway.Tests.Bridge;
using IoTMesh.Gateway.Tests.Pages;

namespace IoTMesh.Gateway.Tests.Http;

/// <summary>The login in a real browser, over a real gateway and node.</summary>
public sealed class LoginInBrowserTests(ChromiumFixture chromium, SecuredSite site) : IClassFixture<ChromiumFixture>, IClassFixture<SecuredSite>
{
    [ChromiumFact]
    public async Task A_viewer_looks_an_operator_commands_and_logout_closes_every_page()
    {
        await Eventually.HoldsAsync(() => site.Gateway.Registry.Devices.All(d => d.Keys.Count > 0), "the node has told what it has");
        BrowserPage page = await OpenAsync($"node/{SecuredSite.Node}");
        await page.UntilAsync("location.pathname === '/login' && document.querySelector('[name=password]')");
        await SignInAsync(page, "viewer", "wrong");
        await page.UntilAsync("document.querySelector('[role=alert]')?.textContent === 'Wrong user name or password.'");

        await SignInAsync(page, "viewer", "viewer-password");
        await page.UntilAsync($"location.pathname === '/node/{SecuredSite.Node}'");
        await page.UntilLiveAsync();
        Assert.Equal("viewer viewer", await page.TextAsync("#visitor"));
        await page.UntilAsync("document.querySelector('#look-only') && !document.querySelector('[data-ask]')");
        Assert.Equal(403, (int)(await page.EvaluateAsync(SetByRest))!);

        await page.ClickAsync(".visitor button");
        await page.UntilAsync("location.pathname === '/login' && document.querySelector('[name=password]')");
        Assert.Equal(401, (int)(await page.EvaluateAsync(SetByRest))!);
        await SignInAsync(page, "operator", "operator-password");
        await page.UntilAsync("location.pathname === '/' && document.querySelector('.map')");
        BrowserPage second = await chromium.Browser.OpenAsync(new Uri(site.Gateway.Address, $"node/{SecuredSite.Node}"));
        await second.UntilLiveAsync();
        await second.ClickAsync("[data-ask=led-on]");
        await second.UntilAsync("/led = true in \\d+ ms/.test(document.querySelector('.answers li')?.innerText)");
        await site.AuditHasAsync($"operator: command {SecuredSite.Node}: set led: done");
        Assert.Empty(second.Complaints);

        await page.EvaluateAsync("document.querySelector('.visitor button').click()"); // it lies behind the second
        await page.UntilAsync("location.pathname === '/login'");
        await second.UntilAsync("location.pathname === '/login'");
        Assert.DoesNotContain(page.Complaints, c => c.Contains("Security Policy", StringComparison.Ordinal));
    }

    private const string SetByRest = $$"""
        fetch('/api/v1/nodes/{{SecuredSite.Node}}/commands', { method: 'POST', headers: { 'Content-Type': 'application/json' },
          body: '{"op":"set","led":true}' }).then(r => r.status)
        """;

    [ChromiumFact]
    public async Task The_page_of_the_rest_interface_works_under_its_policy()
    {
        BrowserPage page = await OpenAsync("api");
        await page.UntilAsync("document.querySelector('[name=password]')");
        await SignInAsync(page, "viewer", "viewer-password");
        await page.UntilAsync("document.querySelectorAll('details').length > 10");
        Assert.Empty(page.Complaints);
    }

    // Not logged in, whatever the test before left.
    private async Task<BrowserPage> OpenAsync(string path)
    {
        BrowserPage page = await chromium.Browser.OpenAsync(new Uri("about:blank"));
        await page.CallAsync("Network.clearBrowserCookies");
        await page.CallAsync("Page.navigate", new() { ["url"] = new Uri(site.Gateway.Address, path).ToString() });
        return page;
    }

    private static async Task SignInAsync(BrowserPage page, string user, string password)
    {
        await page.EvaluateAsync(
            $"document.querySelector('[name=user]').value = '{user}', document.querySelector('[name=password]').value = '{password}'");
        await page.ClickAsync(".login button");
    }
}
