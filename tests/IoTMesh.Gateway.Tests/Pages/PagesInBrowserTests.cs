using IoTMesh.Gateway.Live;

namespace IoTMesh.Gateway.Tests.Pages;

/// <summary>The pages in a real browser, over a picture that the test moves on.</summary>
public sealed class PagesInBrowserTests(ChromiumFixture chromium) : IClassFixture<ChromiumFixture>
{
    private const string NodesOnMap = ".map .node:not(.gateway)";

    [ChromiumTheory]
    [InlineData("Production")]
    [InlineData("Development")]
    public async Task Shows_gateway_nodes_links_and_routes(string environment)
    {
        var mesh = new ScriptedMesh();
        await using PageHost host = await PageHost.StartAsync(mesh, environment);
        BrowserPage page = await chromium.Browser.OpenAsync(host.Address);
        await page.UntilLiveAsync();

        Assert.Equal(12, await page.CountAsync(NodesOnMap));
        Assert.Equal(1, await page.CountAsync(".map .node.gateway rect"));
        Assert.Equal(12, await page.CountAsync(".map .link.route"));
        Assert.Equal(mesh.Current.Links.Count / 2, await page.CountAsync(".map .link"));
        Assert.Equal(13, await page.CountAsync(".devices tbody tr"));
        Assert.Equal("12 of 12", await page.TextAsync("#online"));
        Assert.Matches(@"ETX \d\.\d\d, RSSI -\d+ dBm", await page.TextAsync(".map .link title"));
        Assert.True((bool?)await page.EvaluateAsync("""
            [...document.querySelectorAll('.map .node circle')].every(c => {
              const r = c.getBoundingClientRect(), f = document.querySelector('.canvas').getBoundingClientRect();
              return r.width > 15 && r.left >= f.left && r.right <= f.right && r.top >= f.top && r.bottom <= f.bottom; })
            """), "a node lies outside of the map");
        Assert.Empty(page.Complaints);
    }

    [ChromiumFact]
    public async Task Values_change_without_reload()
    {
        var mesh = new ScriptedMesh();
        await using PageHost host = await PageHost.StartAsync(mesh);
        BrowserPage page = await chromium.Browser.OpenAsync(host.Address);
        await page.UntilLiveAsync();
        int loads = page.Navigations;
        const string Cell = "tr[data-node=node-07] td[data-label=Temperature] b";
        const string Curve = "tr[data-node=node-07] td[data-label=Temperature] path";
        string value = await page.TextAsync(Cell);
        string curve = (string)(await page.EvaluateAsync($"document.querySelector('{Curve}').getAttribute('d')"))!;

        for (int i = 0; i < 8; i++)
        {
            mesh.Step();
        }

        await page.UntilAsync($"document.querySelector('{Cell}').textContent !== '{value}'");
        await page.UntilAsync($"document.querySelector('{Curve}').getAttribute('d') !== '{curve}'");
        await page.UntilAsync($"document.querySelector('#published').textContent === '{mesh.Current.Outbox.Published}'");
        Assert.Equal(loads, page.Navigations);
        Assert.Empty(page.Complaints);
    }

    [ChromiumFact]
    public async Task A_dead_node_greys_stays_in_place_and_the_new_paths_show()
    {
        var mesh = new ScriptedMesh();
        await using PageHost host = await PageHost.StartAsync(mesh);
        BrowserPage page = await chromium.Browser.OpenAsync(host.Address);
        await page.UntilLiveAsync();
        const string Places = "[...document.querySelectorAll('.map .node')].map(n => n.style.transform).join()";
        string before = (string)(await page.EvaluateAsync(Places))!;
        string? oldParent = mesh.ParentOf(6);

        mesh.Kill(int.Parse(oldParent!["node-".Length..], System.Globalization.CultureInfo.InvariantCulture) - 1);
        Assert.NotEqual(oldParent, mesh.ParentOf(6));

        await page.UntilAsync($"document.querySelector('.map .node.offline')?.dataset.node === '{oldParent}'");
        await page.UntilAsync($"document.querySelector('tr[data-node={oldParent}] .state.down')?.textContent === 'offline'");
        string newName = mesh.Current.Nodes.Single(node => node.Id == mesh.ParentOf(6)).Name;
        await page.UntilAsync(
            $"[...document.querySelectorAll('.map .link.route title')].some(t => /^node 7 to {newName}: .*route$/m.test(t.textContent))");
        await page.UntilAsync("document.querySelector('.events li')?.textContent.includes('offline')");
        Assert.Equal("11 of 12", await page.TextAsync("#online"));
        Assert.Equal(before, (string)(await page.EvaluateAsync(Places))!);

        mesh.Start(int.Parse(oldParent["node-".Length..], System.Globalization.CultureInfo.InvariantCulture) - 1);
        await page.UntilAsync("document.querySelectorAll('.map .node.offline').length === 0");
        Assert.Equal(before, (string)(await page.EvaluateAsync(Places))!);
        Assert.Empty(page.Complaints);
    }

    [ChromiumFact]
    public async Task A_click_on_the_map_opens_the_page_of_the_node()
    {
        var mesh = new ScriptedMesh();
        await using PageHost host = await PageHost.StartAsync(mesh);
        BrowserPage page = await chromium.Browser.OpenAsync(host.Address);
        await page.UntilLiveAsync();
        await page.ClickAsync(".node[data-node=node-07] circle");
        await page.UntilAsync("location.pathname === '/node/node-07' && document.querySelectorAll('.chart svg .line').length === 4");
        Assert.Equal(mesh.Current.Links.Count(link => link.From == 7), await page.CountAsync(".side tbody tr"));
        string value = await page.TextAsync(".chart[data-reading=temperature] .value b");
        for (int i = 0; i < 8; i++)
        {
            mesh.Step();
        }

        await page.UntilAsync($"document.querySelector('.chart[data-reading=temperature] .value b').textContent !== '{value}'");
        mesh.Kill(6);
        await page.UntilAsync("document.querySelector('.facts .state.down') && document.querySelector('.events li.warning')");
        await page.ClickAsync(".back");
        await page.UntilAsync("location.pathname === '/' && document.querySelectorAll('.map .node').length === 13");
        Assert.Empty(page.Complaints);
    }

    [ChromiumFact]
    public async Task A_request_from_the_page_shows_its_answer_or_why_there_is_none()
    {
        await using PageHost host = await PageHost.StartAsync(new ScriptedMesh(), commands: new LedOnly());
        BrowserPage page = await chromium.Browser.OpenAsync(new Uri(host.Address, "node/node-07"));
        await page.UntilLiveAsync();
        await page.ClickAsync("[data-ask=led-on]");
        await page.UntilAsync("document.querySelector('.answers li')?.innerText.includes('node-07 led = true in 12 ms')");
        Assert.True((bool?)await page.EvaluateAsync("document.querySelector('[data-ask=set]').disabled"));
        foreach ((string label, string text) in new[] { ("Key", "period"), ("Value", "5") })
        {
            await page.EvaluateAsync($"document.querySelector('input[aria-label={label}]').focus()");
            await page.CallAsync("Input.insertText", new() { ["text"] = text });
        }

        await page.UntilAsync("!document.querySelector('[data-ask=set]').disabled");
        await page.ClickAsync("[data-ask=set]");
        await page.UntilAsync("document.querySelector('.answers li.error')?.innerText.includes('period is not known')");
        Assert.Empty(page.Complaints);
    }

    private sealed class LedOnly : INodeCommands
    {
        public async Task<NodeAnswer> SendAsync(
            string who, string nodeId, string operation, string key, string value, CancellationToken cancellationToken)
        {
            await Task.Yield();
            return key == "led" ? new NodeAnswer(true, $"{nodeId} {key} = {value}", 12) : new NodeAnswer(false, $"{key} is not known", 3);
        }
    }

    [ChromiumFact]
    public async Task The_page_comes_back_by_itself_after_a_restart_of_the_gateway()
    {
        PageHost host = await PageHost.StartAsync(new ScriptedMesh());
        BrowserPage page = await chromium.Browser.OpenAsync(host.Address);
        await page.UntilLiveAsync();
        int port = host.Address.Port;
        await host.DisposeAsync();
        await page.UntilAsync("getComputedStyle(document.getElementById('components-reconnect-modal')).display === 'block'");

        var mesh = new ScriptedMesh(8);
        await using PageHost again = await PageHost.StartAsync(mesh, port: port);
        await page.UntilAsync($"document.querySelectorAll('{NodesOnMap}').length === 7", 20);
        await page.UntilLiveAsync();
        mesh.Kill(3);
        await page.UntilAsync("document.querySelectorAll('.map .node.offline').length === 1");
    }

    [ChromiumFact]
    public async Task Fits_a_phone_and_tells_that_the_broker_is_away()
    {
        var mesh = new ScriptedMesh();
        await using PageHost host = await PageHost.StartAsync(mesh);
        BrowserPage page = await chromium.Browser.OpenAsync(host.Address, 400, 800, dark: true);
        await page.UntilLiveAsync();
        await page.UntilAsync("document.querySelector('.canvas svg').viewBox.baseVal.width < 400");
        Assert.Equal(400, (int)(await page.EvaluateAsync("document.documentElement.scrollWidth"))!);
        Assert.Equal(12, await page.CountAsync(NodesOnMap));

        // A row more for each event, but alike ones, which would share a key, only once.
        mesh.Tell(new EventView(DateTimeOffset.UnixEpoch, "error", "mqtt", "the broker is away"), times: 2);
        mesh.Tell(new EventView(DateTimeOffset.UnixEpoch, "error", "mqtt", "still away"), times: 1);
        mesh.BrokerConnected = false;
        mesh.Step();
        await page.UntilAsync("document.querySelector('.outbox .state.down')?.textContent === 'away'");
        Assert.Equal($"{mesh.Current.Outbox.Depth}", await page.TextAsync(".outbox dd"));
        Assert.Equal(2, await page.CountAsync(".events li.error"));
        Assert.Empty(page.Complaints);
    }

    [ChromiumFact]
    public async Task A_hundred_nodes_stay_live()
    {
        var mesh = new ScriptedMesh(100);
        await using PageHost host = await PageHost.StartAsync(mesh);
        BrowserPage page = await chromium.Browser.OpenAsync(host.Address);
        await page.UntilLiveAsync();
        Assert.Equal(99, await page.CountAsync(NodesOnMap));
        for (int i = 0; i < 20; i++)
        {
            mesh.Step();
        }

        await page.UntilAsync($"document.querySelector('#published').textContent === '{mesh.Current.Outbox.Published:N0}'");
        Assert.Empty(page.Complaints);
    }
}
