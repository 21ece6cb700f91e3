using System.Collections.Concurrent;
using System.Diagnostics;
using System.Text.Json.Nodes;

namespace IoTMesh.Gateway.Tests.Pages;

/// <summary>One tab of a <see cref="Chromium"/>.</summary>
public sealed class BrowserPage(Chromium browser, string session)
{
    private readonly ConcurrentQueue<string> _complaints = new();
    private int _navigations;

    public string Session => session;

    /// <summary>Exceptions, console errors and warnings, and answers of 400 and above, in order.</summary>
    public IReadOnlyCollection<string> Complaints => _complaints;

    /// <summary>Full loads of the document so far.</summary>
    public int Navigations => Volatile.Read(ref _navigations);

    public Task<JsonNode> CallAsync(string method, JsonObject? parameters = null) => browser.CallAsync(session, method, parameters);

    public async Task ShowAsAsync(int width, int height, bool dark)
    {
        await CallAsync("Emulation.setDeviceMetricsOverride", new()
        {
            ["width"] = width,
            ["height"] = height,
            ["deviceScaleFactor"] = 1,
            ["mobile"] = width < 700,
        });
        await CallAsync("Emulation.setEmulatedMedia", new()
        {
            ["features"] = new JsonArray(new JsonObject { ["name"] = "prefers-color-scheme", ["value"] = dark ? "dark" : "light" }),
        });
    }

    /// <summary>The value of a JavaScript expression.</summary>
    public async Task<JsonNode?> EvaluateAsync(string expression)
    {
        JsonObject asked = new() { ["expression"] = expression, ["returnByValue"] = true, ["awaitPromise"] = true };
        JsonNode answer = await CallAsync("Runtime.evaluate", asked);
        if (answer["exceptionDetails"] is JsonNode wrong)
        {
            throw new InvalidOperationException($"{expression}: {wrong["exception"]?["description"] ?? wrong["text"]}");
        }

        return answer["result"]!["value"];
    }

    public async Task<string> TextAsync(string selector) =>
        (string?)await EvaluateAsync($"document.querySelector({Quoted(selector)})?.textContent.trim()") ?? "";

    public async Task<int> CountAsync(string selector) =>
        (int)(await EvaluateAsync($"document.querySelectorAll({Quoted(selector)}).length"))!;

    /// <summary>Waits until a JavaScript condition holds; fails with what the page shows where it does not in time.</summary>
    public async Task UntilAsync(string condition, double withinSeconds = 10)
    {
        var waited = Stopwatch.StartNew();
        while (waited.Elapsed.TotalSeconds < withinSeconds)
        {
            if ((bool?)await EvaluateAsync($"!!({condition})") == true)
            {
                return;
            }

            await Task.Delay(50);
        }

        string shown = (string?)await EvaluateAsync("document.body?.innerText.slice(0, 1500)") ?? "";
        Assert.Fail($"not true within {withinSeconds} s: {condition}\ncomplaints: {string.Join("; ", Complaints)}\npage: {shown}");
    }

    /// <summary>Waits until the page is live: Blazor has taken over from the first HTML and fitted the map, if there is one, to its frame.</summary>
    public Task UntilLiveAsync() => UntilAsync("""
        document.readyState === 'complete' && document.querySelector('main')?.ariaBusy === 'false'
          && [...document.querySelectorAll('.canvas')].every(c => c.querySelector('svg').viewBox.baseVal.width === c.clientWidth)
        """, 20);

    /// <summary>Clicks where the middle of the element is, as a person would.</summary>
    public async Task ClickAsync(string selector)
    {
        JsonNode box = (await EvaluateAsync($$"""
            (() => { const r = document.querySelector({{Quoted(selector)}}).getBoundingClientRect();
              return [r.x + r.width / 2, r.y + r.height / 2]; })()
            """))!;
        foreach (string kind in new[] { "mousePressed", "mouseReleased" })
        {
            await CallAsync("Input.dispatchMouseEvent", new()
            {
                ["type"] = kind,
                ["x"] = (double)box[0]!,
                ["y"] = (double)box[1]!,
                ["button"] = "left",
                ["clickCount"] = 1,
            });
        }
    }

    /// <summary>The visible part as PNG; the whole page where <paramref name="full"/>.</summary>
    public async Task<byte[]> ScreenshotAsync(bool full = false)
    {
        JsonNode shot = await CallAsync("Page.captureScreenshot", new() { ["format"] = "png", ["captureBeyondViewport"] = full });
        return Convert.FromBase64String((string)shot["data"]!);
    }

    internal void Notice(string method, JsonNode about)
    {
        switch (method)
        {
            case "Page.frameNavigated" when about["frame"]!["parentId"] is null:
                Interlocked.Increment(ref _navigations);
                break;
            case "Runtime.exceptionThrown":
                _complaints.Enqueue($"exception: {about["exceptionDetails"]!["exception"]?["description"] ?? about["exceptionDetails"]!["text"]}");
                break;
            case "Runtime.consoleAPICalled" when (string)about["type"]! is "error" or "warning" or "assert":
                _complaints.Enqueue($"console: {about["args"]!.ToJsonString()}");
                break;
            case "Log.entryAdded" when (string)about["entry"]!["level"]! is "error" or "warning":
                _complaints.Enqueue($"log: {about["entry"]!["text"]} {about["entry"]!["url"]}");
                break;
            case "Network.responseReceived" when (int)about["response"]!["status"]! >= 400:
                _complaints.Enqueue($"answer {about["response"]!["status"]}: {about["response"]!["url"]}");
                break;
        }
    }

    private static string Quoted(string text) => JsonValue.Create(text)!.ToJsonString();
}
