using System.Diagnostics;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using System.Threading.Channels;

namespace IoTMesh.Gateway.Tests.Pages;

/// <summary>The demo as a user starts it, nothing replaced, seen in a real browser.</summary>
public sealed partial class DemoInBrowserTests(ChromiumFixture chromium) : IClassFixture<ChromiumFixture>, IDisposable
{
    // Child to next hop by name, as the map draws the routes.
    private const string Routes = """
        Object.fromEntries([...document.querySelectorAll('.map .link.route title')]
          .map(t => t.textContent.match(/^(.+) to (.+): .*route$/m)).filter(m => m).map(m => [m[1], m[2]]))
        """;

    // Names of nodes that hear more than one other: those have a detour.
    private const string WithDetour = """
        (ends => ends.filter((name, at) => ends.indexOf(name) !== at))([...document.querySelectorAll('.map .link title')]
          .flatMap(t => t.textContent.match(/^(.+) to (.+?):/).slice(1, 3)))
        """;

    private readonly Channel<string> _said = Channel.CreateUnbounded<string>();
    private Process? _demo;

    [ChromiumFact]
    public async Task Twelve_nodes_report_and_the_page_shows_the_paths_around_a_killed_one()
    {
        Uri address = await StartDemoAsync();
        BrowserPage page = await chromium.Browser.OpenAsync(address);
        await page.UntilLiveAsync();
        await page.UntilAsync("document.querySelectorAll('.map .node:not(.gateway):not(.offline)').length === 12", 20);
        await page.UntilAsync("document.querySelectorAll('.map .link.route').length === 12", 20);
        await page.UntilAsync("document.querySelector('.outbox .state.up') && document.querySelectorAll('.devices td .spark').length >= 12", 20);
        string published = await page.TextAsync("#published");
        await page.UntilAsync($"document.querySelector('#published').textContent !== '{published}'");

        // A victim is back after 5 s, and a child may then be with it again before its own report of the detour is due: the
        // paths around one victim of the first few must show.
        int loads = page.Navigations;
        bool shown = false;
        for (int kills = 0; kills < 4 && !shown;)
        {
            JsonObject before = (await page.EvaluateAsync(Routes))!.AsObject();
            var withDetour = (await page.EvaluateAsync(WithDetour))!.AsArray().Select(name => (string)name!).ToHashSet();
            Match killed = KilledLine().Match(await NextLineAsync());
            kills += killed.Success ? 1 : 0;
            string victim = killed.Groups[1].Value;
            string[] orphans = [.. before.Where(r => killed.Success && (string?)r.Value == victim).Select(r => r.Key).Where(withDetour.Contains)];
            shown = orphans.Length > 0 && await ShowsDetourAsync(page, orphans, victim);
        }

        Assert.True(shown, "no path around a killed node has shown");
        Assert.Equal(loads, page.Navigations);
        Assert.Empty(page.Complaints);
    }

    [ChromiumFact]
    public async Task A_node_answers_a_request_from_its_page()
    {
        Uri address = await StartDemoAsync();
        BrowserPage page = await chromium.Browser.OpenAsync(new Uri(address, "node/node-13"));
        await page.UntilLiveAsync();
        await page.UntilAsync("document.querySelector('.facts .state.up') && document.querySelector('.chart .value')", 20);
        await page.ClickAsync("[data-ask=led-on]");
        await page.UntilAsync("/led = true in \\d+ ms/.test(document.querySelector('.answers li')?.innerText)");
        await page.ClickAsync("[data-ask=ping]");
        await page.UntilAsync("/ping answered in \\d+ ms/.test(document.querySelector('.answers li')?.innerText)");
        Assert.Empty(page.Complaints);
    }

    private static async Task<bool> ShowsDetourAsync(BrowserPage page, string[] orphans, string victim)
    {
        for (var waited = Stopwatch.StartNew(); waited.Elapsed.TotalSeconds < 8; await Task.Delay(100))
        {
            JsonObject now = (await page.EvaluateAsync(Routes))!.AsObject();
            if (orphans.Any(orphan => now[orphan] is JsonNode nextHop && (string?)nextHop != victim))
            {
                return true;
            }
        }

        return false;
    }

    public void Dispose()
    {
        _demo?.Kill(entireProcessTree: true);
        _demo?.Dispose();
    }

    private async Task<Uri> StartDemoAsync()
    {
        var start = new ProcessStartInfo("dotnet") { RedirectStandardOutput = true, RedirectStandardError = true };
        string program = Path.Combine(AppContext.BaseDirectory, "iotmesh.dll");
        foreach (string argument in new[] { program, "demo", "--http-port", "0", "--mqtt-port", "0", "--kill-every", "10", "--duration", "120" })
        {
            start.ArgumentList.Add(argument);
        }

        _demo = Process.Start(start)!;
        _demo.OutputDataReceived += (_, heard) => Hear(heard.Data);
        _demo.ErrorDataReceived += (_, heard) => Hear(heard.Data);
        _demo.BeginOutputReadLine();
        _demo.BeginErrorReadLine();
        while (true)
        {
            Match look = LookLine().Match(await NextLineAsync());
            if (look.Success)
            {
                return new Uri(look.Groups[1].Value);
            }
        }
    }

    private void Hear(string? line)
    {
        if (line is not null)
        {
            _said.Writer.TryWrite(line);
        }
    }

    private async Task<string> NextLineAsync() => await _said.Reader.ReadAsync().AsTask().WaitAsync(TimeSpan.FromSeconds(30));

    [GeneratedRegex(@"look:\s+(http\S+)")]
    private static partial Regex LookLine();

    [GeneratedRegex(@"node-\d+ \((.+)\) killed")]
    private static partial Regex KilledLine();
}
