using System.CommandLine;
using System.Text.Json;
using IoTMesh.Gateway.Service;
using IoTMesh.Gateway.Storage;

namespace IoTMesh.Gateway.CommandLine;

/// <summary><c>iotmesh rotate-keys</c>: changes the network key, and shows how far that is.</summary>
internal static class RotateKeysCommand
{
    private static readonly TimeSpan _interval = TimeSpan.FromMilliseconds(500);
    private static readonly TimeSpan _startPatience = TimeSpan.FromSeconds(15);

    private static readonly JsonSerializerOptions _json = new() { PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower };

    internal static Command Create()
    {
        var status = new Option<bool>("--status") { Description = "Only shows the key in use and its last change." };
        var wait = new Option<bool>("--wait") { Description = "Shows each step until the change has happened." };
        var json = new Option<bool>("--json") { Description = "The state as JSON." };
        Option<string?> data = SiteOptions.Data();
        var command = new Command("rotate-keys", "Changes the network key of the site.") { status, wait, json, data };
        HelpWithExamples.Add(command, """
            The running gateway tells each device the next key and changes to it once all have it, or when patience ends
            ("keys.patienceMinutes"); devices that missed it join again by themselves. No reading is lost over it.
            """, "iotmesh rotate-keys --wait", "iotmesh rotate-keys --status --json");
        command.SetAction((parse, cancellation) => RunAsync(
            parse.GetValue(status), parse.GetValue(wait), parse.GetValue(json), parse.GetValue(data), cancellation));
        return command;
    }

    private static async Task<int> RunAsync(bool isQuestion, bool waits, bool isJson, string? data, CancellationToken cancellation)
    {
        using GatewayStore store = SiteOptions.OpenStore(data);
        if (!isQuestion)
        {
            long askedMs = TimeProvider.System.GetUtcNow().ToUnixTimeMilliseconds();
            await KeyKeeper.RequestRotationAsync(store, SiteOptions.Who, "asked for", TimeProvider.System, cancellation);
            if (!waits)
            {
                Console.WriteLine("the running gateway begins within a second; iotmesh rotate-keys --status shows how far it is");
                return ExitCode.Success;
            }

            await FollowAsync(store, askedMs, isJson, cancellation);
        }

        Show(Read(store) ?? throw new CommandFailure("no gateway has run here yet", ExitCode.Failed), isJson);
        return ExitCode.Success;
    }

    private static async Task FollowAsync(GatewayStore store, long askedMs, bool isQuiet, CancellationToken cancellation)
    {
        string shown = "";
        long waitedFrom = Environment.TickCount64;
        while (Read(store) is not { IsChanging: false } state || state.StartedMs < askedMs)
        {
            string text = Read(store) is { IsChanging: true } changing ? changing.Describe() : "";
            if (text.Length == 0 && Environment.TickCount64 - waitedFrom > _startPatience.TotalMilliseconds)
            {
                throw new CommandFailure("no gateway runs here; it begins when one is started", ExitCode.Failed);
            }

            if (text.Length > 0 && text != shown && !isQuiet)
            {
                Console.WriteLine(text);
                shown = text;
            }

            await Task.Delay(_interval, cancellation);
        }
    }

    private static KeysState? Read(GatewayStore store)
    {
        return store.ReadState<KeysState>(KeysState.Name);
    }

    private static void Show(KeysState state, bool isJson)
    {
        Console.WriteLine(isJson ? JsonSerializer.Serialize(state, _json) : state.Describe());
    }
}
