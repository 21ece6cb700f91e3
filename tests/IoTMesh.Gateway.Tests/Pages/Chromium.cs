using System.Collections.Concurrent;
using System.Diagnostics;
using System.Net.WebSockets;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace IoTMesh.Gateway.Tests.Pages;

/// <summary>A test in a real browser; reported as skipped where no Chromium is on the PATH.</summary>
public sealed class ChromiumFactAttribute : FactAttribute
{
    public ChromiumFactAttribute()
    {
        if (Chromium.ProgramPath is null)
        {
            Skip = "needs Chromium: none of chromium, chromium-browser, google-chrome is on the PATH";
        }
    }
}

/// <summary>As <see cref="ChromiumFactAttribute"/>, for theories.</summary>
public sealed class ChromiumTheoryAttribute : TheoryAttribute
{
    public ChromiumTheoryAttribute() => Skip = new ChromiumFactAttribute().Skip;
}

/// <summary>One headless Chromium with a profile of its own, driven over the DevTools protocol.</summary>
public sealed class Chromium : IAsyncDisposable
{
    private readonly Process _process;
    private readonly string _profile;
    private readonly ClientWebSocket _socket = new();
    private readonly ConcurrentDictionary<int, TaskCompletionSource<JsonNode>> _waiting = new();
    private readonly SemaphoreSlim _sending = new(1);
    private readonly ConcurrentDictionary<string, BrowserPage> _pages = new();
    private Task _receiving = Task.CompletedTask;
    private int _lastId;

    private Chromium(Process process, string profile) => (_process, _profile) = (process, profile);

    /// <summary>The browser to use, null where there is none.</summary>
    public static string? ProgramPath { get; } = (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator)
        .SelectMany(folder => new[] { "chromium", "chromium-browser", "google-chrome" }.Select(name => Path.Combine(folder, name)))
        .FirstOrDefault(File.Exists);

    public static async Task<Chromium> StartAsync()
    {
        string profile = Directory.CreateTempSubdirectory("iotmesh-chromium-").FullName;
        var start = new ProcessStartInfo(ProgramPath!) { RedirectStandardError = true, RedirectStandardOutput = true };
        foreach (string argument in new[]
        {
            "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
            "--disable-component-update", "--disable-sync", "--disable-dev-shm-usage", "--hide-scrollbars", "--remote-debugging-port=0",
            $"--user-data-dir={profile}", "about:blank",
        })
        {
            start.ArgumentList.Add(argument);
        }

        Process process = Process.Start(start)!;
        process.OutputDataReceived += (_, _) => { };
        process.BeginOutputReadLine();
        var browser = new Chromium(process, profile);
        try
        {
            await browser._socket.ConnectAsync(await ListenAddressAsync(process), CancellationToken.None);
        }
        catch
        {
            await browser.DisposeAsync();
            throw;
        }

        browser._receiving = Task.Run(browser.ReceiveAsync);
        return browser;
    }

    public async Task<BrowserPage> OpenAsync(Uri address, int width = 1400, int height = 900, bool dark = false)
    {
        JsonNode target = await CallAsync(null, "Target.createTarget", new() { ["url"] = "about:blank" });
        JsonNode attached = await CallAsync(
            null, "Target.attachToTarget", new() { ["targetId"] = (string)target["targetId"]!, ["flatten"] = true });
        var page = new BrowserPage(this, (string)attached["sessionId"]!);
        _pages[page.Session] = page;
        foreach (string domain in new[] { "Page", "Runtime", "Log", "Network" })
        {
            await page.CallAsync($"{domain}.enable");
        }

        await page.ShowAsAsync(width, height, dark);
        await page.CallAsync("Page.navigate", new() { ["url"] = address.ToString() });
        return page;
    }

    public async ValueTask DisposeAsync()
    {
        if (!_process.HasExited)
        {
            _process.Kill(entireProcessTree: true);
            await _process.WaitForExitAsync();
        }

        await _receiving.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        _socket.Dispose();
        _process.Dispose();
        for (int attempt = 0; attempt < 10 && Directory.Exists(_profile); attempt++)
        {
            try
            {
                Directory.Delete(_profile, recursive: true);
            }
            catch (IOException)
            {
                await Task.Delay(100);
            }
        }
    }

    internal async Task<JsonNode> CallAsync(string? session, string method, JsonObject? parameters = null)
    {
        int id = Interlocked.Increment(ref _lastId);
        var answer = new TaskCompletionSource<JsonNode>(TaskCreationOptions.RunContinuationsAsynchronously);
        _waiting[id] = answer;
        var message = new JsonObject { ["id"] = id, ["method"] = method, ["params"] = parameters ?? new JsonObject() };
        if (session is not null)
        {
            message["sessionId"] = session;
        }

        await _sending.WaitAsync();
        try
        {
            await _socket.SendAsync(JsonSerializer.SerializeToUtf8Bytes(message), WebSocketMessageType.Text, true, CancellationToken.None);
        }
        finally
        {
            _sending.Release();
        }

        return await answer.Task.WaitAsync(TimeSpan.FromSeconds(20));
    }

    private static async Task<Uri> ListenAddressAsync(Process process)
    {
        const string Mark = "DevTools listening on ";
        var said = new ConcurrentQueue<string>();
        var address = new TaskCompletionSource<Uri>(TaskCreationOptions.RunContinuationsAsynchronously);
        process.ErrorDataReceived += (_, heard) =>
        {
            said.Enqueue(heard.Data ?? "(it ended)");
            if (heard.Data is null)
            {
                address.TrySetException(new InvalidOperationException("Chromium did not start: " + string.Join(" | ", said)));
            }
            else if (heard.Data.StartsWith(Mark, StringComparison.Ordinal))
            {
                address.TrySetResult(new Uri(heard.Data[Mark.Length..]));
            }
        };
        process.BeginErrorReadLine();
        return await address.Task.WaitAsync(TimeSpan.FromSeconds(20));
    }

    private async Task ReceiveAsync()
    {
        var buffer = new byte[1 << 16];
        using var message = new MemoryStream();
        while (_socket.State == WebSocketState.Open)
        {
            WebSocketReceiveResult part = await _socket.ReceiveAsync(buffer, CancellationToken.None);
            message.Write(buffer, 0, part.Count);
            if (part.EndOfMessage)
            {
                Dispatch(JsonNode.Parse(message.ToArray())!);
                message.SetLength(0);
            }
        }
    }

    private void Dispatch(JsonNode message)
    {
        if (message["id"] is JsonNode id && _waiting.TryRemove((int)id, out TaskCompletionSource<JsonNode>? answer))
        {
            if (message["error"] is JsonNode error)
            {
                answer.SetException(new InvalidOperationException(error.ToJsonString()));
            }
            else
            {
                answer.SetResult(message["result"]!);
            }
        }
        else if (message["sessionId"] is JsonNode session && _pages.TryGetValue((string)session!, out BrowserPage? page))
        {
            page.Notice((string)message["method"]!, message["params"]!);
        }
    }
}
