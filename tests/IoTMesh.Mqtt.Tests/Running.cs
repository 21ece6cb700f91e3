using System.Collections.Concurrent;
using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace IoTMesh.Mqtt.Tests;

/// <summary>A fact that needs a program on PATH; skipped with the reason where it is absent.</summary>
internal sealed class NeedsFactAttribute : FactAttribute
{
    public NeedsFactAttribute(string program)
    {
        if (Programs.Find(program) is null)
        {
            Skip = $"{program} is not installed";
        }
    }
}

internal sealed class NeedsTheoryAttribute : TheoryAttribute
{
    public NeedsTheoryAttribute(string program)
    {
        if (Programs.Find(program) is null)
        {
            Skip = $"{program} is not installed";
        }
    }
}

internal static class Programs
{
    public static string? Find(string program) =>
        $"{Environment.GetEnvironmentVariable("PATH")}{Path.PathSeparator}/usr/sbin{Path.PathSeparator}/usr/local/sbin".Split(Path.PathSeparator)
            .Select(folder => Path.Combine(folder, program)).FirstOrDefault(File.Exists);

    public static int FreePort()
    {
        var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        int port = ((IPEndPoint)listener.LocalEndpoint).Port;
        listener.Stop();
        return port;
    }
}

/// <summary>A started program whose output lines can be awaited; killed at the end.</summary>
internal sealed class RunningProgram : IAsyncDisposable
{
    private readonly Process _process;
    private readonly Lines _lines = new();

    public RunningProgram(string program, params string[] arguments)
    {
        var start = new ProcessStartInfo(Programs.Find(program)!) { RedirectStandardOutput = true, RedirectStandardError = true };
        Array.ForEach(arguments, start.ArgumentList.Add);
        _process = new Process { StartInfo = start };
        _process.OutputDataReceived += (_, e) => _lines.Add(e.Data);
        _process.ErrorDataReceived += (_, e) => _lines.Add(e.Data);
        _process.Start();
        _process.BeginOutputReadLine();
        _process.BeginErrorReadLine();
    }

    public Task<string> LineAsync(Func<string, bool> wanted) => _lines.WaitAsync(wanted);

    public async Task<int> ExitAsync()
    {
        await _process.WaitForExitAsync().WaitAsync(TimeSpan.FromSeconds(20));
        return _process.ExitCode;
    }

    public void Kill() => _process.Kill();

    public string Output => _lines.ToString();

    public async ValueTask DisposeAsync()
    {
        if (!_process.HasExited)
        {
            _process.Kill();
            await _process.WaitForExitAsync();
        }

        _process.Dispose();
    }

    /// <summary>Runs to the end; fails the test with the program's output where it does not end with 0.</summary>
    public static async Task<string> RunAsync(string program, params string[] arguments)
    {
        await using var running = new RunningProgram(program, arguments);
        int code = await running.ExitAsync();
        Assert.True(code == 0, $"{program} {string.Join(' ', arguments)} ended with {code}: {running.Output}");
        return running.Output;
    }

    /// <summary>mosquitto on a free port, ready.</summary>
    public static async Task<(RunningProgram Broker, int Port)> MosquittoAsync(int port = 0)
    {
        port = port == 0 ? Programs.FreePort() : port;
        var broker = new RunningProgram("mosquitto", "-p", $"{port}", "-v");
        await broker.LineAsync(line => line.Contains("running"));
        return (broker, port);
    }
}

/// <summary>Things that arrive from other threads, to be awaited one by one.</summary>
internal sealed class Arrivals<T>
{
    private readonly ConcurrentQueue<T> _items = new();
    private readonly SemaphoreSlim _available = new(0);

    public int Count => _items.Count;

    public void Add(T item)
    {
        _items.Enqueue(item);
        _available.Release();
    }

    public async Task<T> NextAsync(int timeoutMs = 10_000)
    {
        Assert.True(await _available.WaitAsync(timeoutMs), $"nothing arrived within {timeoutMs} ms");
        Assert.True(_items.TryDequeue(out T? item));
        return item!;
    }

    public async Task NothingAsync(int ms)
    {
        bool came = await _available.WaitAsync(ms);
        Assert.False(came, came && _items.TryPeek(out T? item) ? $"unexpected: {item}" : "");
    }
}

internal sealed class Lines
{
    private readonly List<string> _lines = [];
    private readonly List<(Func<string, bool> Wanted, TaskCompletionSource<string> Found)> _waiting = [];

    public void Add(string? line)
    {
        if (line is null)
        {
            return;
        }

        lock (_lines)
        {
            _lines.Add(line);
            _waiting.Where(w => w.Wanted(line)).ToList().ForEach(w => w.Found.TrySetResult(line));
        }
    }

    public async Task<string> WaitAsync(Func<string, bool> wanted, int timeoutMs = 15_000)
    {
        var found = new TaskCompletionSource<string>(TaskCreationOptions.RunContinuationsAsynchronously);
        lock (_lines)
        {
            if (_lines.FirstOrDefault(wanted) is string line)
            {
                return line;
            }

            _waiting.Add((wanted, found));
        }

        return await Task.WhenAny(found.Task, Task.Delay(timeoutMs)) == found.Task ? await found.Task
            : throw new Xunit.Sdk.XunitException($"no such line within {timeoutMs} ms in:\n{this}");
    }

    public override string ToString()
    {
        lock (_lines)
        {
            return string.Join('\n', _lines);
        }
    }
}

/// <summary>A client of ours with what it received.</summary>
internal sealed class TestClient : IAsyncDisposable
{
    private TestClient(MqttClientOptions options)
    {
        Client = new MqttClient(options)
        {
            MessageReceived = message =>
            {
                Received.Add(message);
                return ValueTask.CompletedTask;
            },
        };
        Client.ConnectionChanged += (connected, text) => Changes.Add((connected, text));
    }

    public MqttClient Client { get; }

    public Arrivals<MqttMessage> Received { get; } = new();

    public Arrivals<(bool Connected, string Text)> Changes { get; } = new();

    public static TestClient Start(MqttClientOptions options)
    {
        var client = new TestClient(options);
        client.Client.Start();
        return client;
    }

    public static async Task<TestClient> ConnectAsync(MqttClientOptions options)
    {
        TestClient client = Start(options);
        (bool connected, string text) = await client.Changes.NextAsync();
        Assert.True(connected, text);
        return client;
    }

    public static Task<TestClient> ConnectAsync(int port, MqttProtocol protocol = MqttProtocol.V5) =>
        ConnectAsync(new MqttClientOptions { Port = port, Protocol = protocol });

    public async Task<string> NextTextAsync()
    {
        MqttMessage message = await Received.NextAsync();
        return $"{message.Topic}={Encoding.UTF8.GetString(message.Payload.Span)} q{message.Qos}{(message.Retain ? " r" : "")}";
    }

    public Task PublishAsync(string topic, string text, byte qos = 0, bool retain = false) =>
        Client.PublishAsync(new MqttMessage(topic, Encoding.UTF8.GetBytes(text), qos, retain));

    public ValueTask DisposeAsync() => Client.DisposeAsync();
}
