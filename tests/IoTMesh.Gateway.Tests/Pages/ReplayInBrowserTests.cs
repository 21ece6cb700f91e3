using System.Text;
using IoTMesh.Core;
using IoTMesh.Simulation;

namespace IoTMesh.Gateway.Tests.Pages;

/// <summary>The replay of a simulated run in a real browser, against what the run itself told at the same times.</summary>
public sealed class ReplayInBrowserTests(ChromiumFixture chromium) : IClassFixture<ChromiumFixture>, IDisposable
{
    private const string Garden = """
        {"name": "garden", "seed": 5, "durationSeconds": 80, "topology": {"kind": "grid4", "nodes": 16, "loss": 0.1, "gateways": [1, 16]},
         "traffic": [{"from": "all", "to": "gateway", "periodSeconds": 2, "custody": true}],
         "faults": [{"atSeconds": 20, "kill": 7}, {"atSeconds": 25, "kill": 10}, {"atSeconds": 30, "gatewayDown": 16},
                    {"atSeconds": 40, "start": 7}, {"atSeconds": 45, "partition": [[1, 2, 3, 4]]}, {"atSeconds": 55, "merge": true}]}
        """;

    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("iotmesh-replay-");

    [ChromiumTheory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Scrubbing_shows_the_state_of_that_time(bool dark)
    {
        (Uri address, Ledger ledger) = Record(Garden);
        BrowserPage page = await OpenAsync(address, dark);
        Assert.Equal(ledger.Violations, await page.CountAsync("#violations li"));
        foreach ((int seconds, int down) in new[] { (24, 1), (28, 2), (42, 1), (10, 0), (80, 1) })
        {
            await ScrubAsync(page, seconds);
            Assert.Equal($"{seconds}.000 s", await page.TextAsync("#clock"));
            Assert.Equal(down.ToString(), await page.TextAsync("#down"));
            Assert.Equal((16 - down).ToString(), await page.TextAsync("#up"));
            Assert.Equal(ledger.MadeBy(seconds).ToString(), await page.TextAsync("#made"));
            Assert.Equal(ledger.DeliveredBy(seconds).ToString(), await page.TextAsync("#delivered"));
            Assert.Equal(ledger.LostBy(seconds).ToString(), await page.TextAsync("#lost"));
        }

        Assert.Equal(6, await page.CountAsync("#faults li"));
        Assert.Empty(page.Complaints);
    }

    [ChromiumFact]
    public async Task A_chosen_node_tells_its_state_route_and_readings()
    {
        (Uri address, Ledger ledger) = Record(Garden);
        BrowserPage page = await OpenAsync(address);
        foreach (int seconds in new[] { 15, 28, 35, 52, 70 })
        {
            await ScrubAsync(page, seconds);
            foreach (int node in new[] { 6, 7, 11, 15, 16 })
            {
                await page.EvaluateAsync($$"""
                    (() => { const s = document.getElementById('node'); s.value = {{node}}; s.dispatchEvent(new Event('change')); })()
                    """);
                int nextHop = ledger.NextHop(node, seconds);
                string route = await page.TextAsync("[data-name=route]");
                bool isDown = await page.TextAsync("[data-name=state]") == "down";
                Assert.Equal(node == 7 && seconds is 28 or 35, isDown);
                Assert.True(
                    isDown || nextHop == 0 ? route is "none" or "its own" : route.StartsWith($"{node} \u2192 {nextHop}", StringComparison.Ordinal),
                    $"node {node} at {seconds} s: {route}, next hop {nextHop}");
                Assert.Equal(ledger.MadeBy(seconds, node).ToString(), await page.TextAsync("[data-name=made]"));
            }
        }

        Assert.Empty(page.Complaints);
    }

    [ChromiumFact]
    public async Task Keys_and_clicks_work()
    {
        (Uri address, _) = Record("""
            {"name": "line", "durationSeconds": 60, "topology": {"kind": "line", "nodes": 3},
             "traffic": [{"from": "all", "to": "gateway", "periodSeconds": 1}],
             "faults": [{"atSeconds": 20, "kill": 3}, {"atSeconds": 31, "start": 3}]}
            """);
        BrowserPage page = await OpenAsync(address);
        await PressAsync(page, "]");
        Assert.Equal(("20.000 s", "1"), (await page.TextAsync("#clock"), await page.TextAsync("#down")));
        await PressAsync(page, "]");
        Assert.Equal("31.000 s", await page.TextAsync("#clock"));
        await PressAsync(page, "[");
        Assert.Equal("20.000 s", await page.TextAsync("#clock"));
        await PressAsync(page, "ArrowRight");
        Assert.Equal("21.000 s", await page.TextAsync("#clock"));
        await page.ClickAsync("#faults li:nth-child(2) button");
        Assert.Equal("31.000 s", await page.TextAsync("#clock"));

        // Node 2 stands in the middle of the map; 3 is right of it.
        await page.ClickAsync("#map");
        Assert.Equal("2", (string?)await page.EvaluateAsync("document.getElementById('node').value"));
        await page.EvaluateAsync("document.getElementById('map').focus()");
        await PressAsync(page, "ArrowRight");
        Assert.Equal("3", (string?)await page.EvaluateAsync("document.getElementById('node').value"));
        await page.EvaluateAsync("document.activeElement.blur()");
        await PressAsync(page, "Home");
        await PressAsync(page, " ");
        await page.UntilAsync("parseFloat(document.getElementById('clock').textContent) > 0.3");
        await PressAsync(page, " ");
        string stopped = await page.TextAsync("#clock");
        await Task.Delay(150);
        Assert.Equal(stopped, await page.TextAsync("#clock"));
        Assert.Empty(page.Complaints);
    }

    [Fact]
    public void The_page_needs_nothing_else()
    {
        (Uri address, _) = Record(Garden);
        string html = File.ReadAllText(address.LocalPath);
        Assert.DoesNotContain("http:", html);
        Assert.DoesNotContain("https:", html);
        Assert.DoesNotContain("src=", html);
        Assert.DoesNotContain("@import", html);
        Assert.DoesNotContain("/*data*/", html);
        Assert.InRange(html.Length, 20_000, 500_000);
    }

    public void Dispose() => _folder.Delete(recursive: true);

    private async Task<BrowserPage> OpenAsync(Uri address, bool dark = false)
    {
        BrowserPage page = await chromium.Browser.OpenAsync(address, dark: dark);
        await page.UntilAsync("document.body?.dataset.ready === 'true'", 20);
        return page;
    }

    private static Task ScrubAsync(BrowserPage page, int seconds) => page.EvaluateAsync($$"""
        (() => { const s = document.getElementById('scrub'); s.value = {{seconds * 1000}}; s.dispatchEvent(new Event('input')); })()
        """);

    private static async Task PressAsync(BrowserPage page, string key)
    {
        foreach (string kind in new[] { "keyDown", "keyUp" })
        {
            await page.CallAsync("Input.dispatchKeyEvent", new() { ["type"] = kind, ["key"] = key });
        }
    }

    private (Uri Page, Ledger Ledger) Record(string json)
    {
        Scenario scenario = Scenario.Parse("garden.json", Encoding.UTF8.GetBytes(json));
        ReplayRecorder recorder = new(scenario, scenario.Seed);
        Ledger ledger = new();
        SimulationRun.Run(scenario, options: new VirtualMeshOptions { Watch = new RunWatches(recorder, ledger) });
        string file = Path.Combine(_folder.FullName, "run.html");
        using (FileStream stream = File.Create(file))
        {
            recorder.Write(stream);
        }

        return (new Uri(file), ledger);
    }

    /// <summary>Keeps what the page must show.</summary>
    private sealed class Ledger : IRunWatch
    {
        private readonly List<(long AtUs, int From)> _made = [];
        private readonly Dictionary<int, long> _deliveredUs = [];
        private readonly List<(long AtUs, int Node, int NextHop)> _hops = [];
        private VirtualMesh? _mesh;

        internal int Violations { get; private set; }

        internal int MadeBy(int seconds, int node = 0) => _made.Count(made => made.AtUs <= Us(seconds) && (node == 0 || made.From == node));

        internal int DeliveredBy(int seconds) => _deliveredUs.Values.Count(at => at <= Us(seconds));

        internal int LostBy(int seconds) => _made.Where((made, i) => made.AtUs <= Us(seconds) && !_deliveredUs.ContainsKey(i)).Count();

        internal int NextHop(int node, int seconds) => _hops.LastOrDefault(hop => hop.Node == node && hop.AtUs <= Us(seconds)).NextHop;

        public void FrameEnded(in AirFrame frame)
        {
        }

        public void Begun(VirtualMesh mesh) => _mesh = mesh;

        public void RouteChanged(long nowUs, int node)
        {
            ushort next = _mesh!.CoreOf(node) is { } core && !core.Config.IsGateway ? core.GetNextHop(MeshAddress.AnyGateway) : MeshAddress.None;
            _hops.Add((nowUs, node, next));
        }

        public void Faulted(long nowUs, FaultEntry fault)
        {
        }

        public void Made(long nowUs, int reading, int from, int to, SendResult taken) => _made.Add((nowUs, from));

        public void Delivered(long nowUs, int reading, int at) => _deliveredUs.Add(reading, nowUs);

        public void Violated(long nowUs, string what) => Violations++;

        public void Ended(long nowUs)
        {
        }

        private static long Us(int seconds) => seconds * 1_000_000L;
    }
}
