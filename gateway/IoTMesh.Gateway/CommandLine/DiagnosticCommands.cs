using System.CommandLine;
using System.Globalization;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;

namespace IoTMesh.Gateway.CommandLine;

/// <summary><c>iotmesh ping, trace, counters, neighbors, routes</c>: questions to any node, asked through the running gateway.</summary>
internal static class DiagnosticCommands
{
    private const string DefaultGateway = "http://127.0.0.1:8080/";
    private static readonly TimeSpan _patience = TimeSpan.FromSeconds(120);

    private sealed record Question(string What, string Node, string Gateway, string? Token, string? User, bool IsJson);

    internal static IEnumerable<Command> Create()
    {
        yield return Create("ping", "Asks a node for a sign of life over the mesh: hops and round trip.", WritePing);
        yield return Create("trace", "Shows each hop on the way to a node: its link and the round trip.", (o, t) => WriteTable(o, "hops", t));
        yield return Create("counters", "Shows a node's own counters.", WriteCounters);
        yield return Create("neighbors", "Shows a node's neighbor table.", (o, t) => WriteTable(o, "neighbors", t));
        yield return Create("routes", "Shows a node's route table.", (o, t) => WriteTable(o, "routes", t));
    }

    private static Command Create(string what, string description, Action<JsonElement, TextWriter> write)
    {
        var node = new Argument<string>("NODE") { Description = "The node's id, as topics and pages name it, or its mesh address." };
        var gateway = new Option<string>("--gateway", "-g")
        {
            Description = "Where the gateway's pages are.",
            HelpName = "URL",
            DefaultValueFactory = _ => DefaultGateway,
        };
        var token = new Option<string?>("--token") { Description = "A token of the gateway's settings.", HelpName = "TOKEN" };
        var user = new Option<string?>("--user", "-u") { Description = "A user of the gateway's settings.", HelpName = "NAME:PASSWORD" };
        var json = new Option<bool>("--json") { Description = "The answer as JSON." };
        var command = new Command(what, description) { node, gateway, token, user, json };
        HelpWithExamples.Add(command, """
            The question goes over the mesh itself, end to end encrypted. Ends with 1 where the node does not answer.
            """, $"iotmesh {what} node-7", $"iotmesh {what} 7 --gateway http://gateway.local:8080 --token ... --json");
        command.SetAction((parse, cancellation) => RunAsync(
            new Question(
                what, parse.GetRequiredValue(node), parse.GetRequiredValue(gateway), parse.GetValue(token), parse.GetValue(user),
                parse.GetValue(json)),
            write,
            cancellation));
        return command;
    }

    private static async Task<int> RunAsync(Question question, Action<JsonElement, TextWriter> write, CancellationToken cancellation)
    {
        if (!Uri.TryCreate(question.Gateway, UriKind.Absolute, out Uri? gateway) || gateway.Scheme is not ("http" or "https"))
        {
            throw new CommandFailure($"--gateway: must be http://host:port, is {question.Gateway}", ExitCode.Usage);
        }

        using var http = new HttpClient { BaseAddress = gateway, Timeout = _patience };
        http.DefaultRequestHeaders.Authorization = question switch
        {
            { Token: { } token } => new AuthenticationHeaderValue("Bearer", token),
            { User: { } user } => new AuthenticationHeaderValue("Basic", Convert.ToBase64String(Encoding.UTF8.GetBytes(user))),
            _ => null,
        };
        (JsonElement answer, bool isGood) = await AskAsync(http, question, cancellation);
        string? error = answer.TryGetProperty("error", out JsonElement text) && text.ValueKind == JsonValueKind.String ? text.GetString() : null;
        if (question.IsJson)
        {
            Console.WriteLine(answer.GetRawText());
        }
        else if (answer.TryGetProperty("node", out _))
        {
            write(answer, Console.Out);
        }

        if (!isGood || error is not null)
        {
            throw new CommandFailure(error ?? "the gateway could not do that", ExitCode.Failed);
        }

        return ExitCode.Success;
    }

    private static async Task<(JsonElement Answer, bool IsGood)> AskAsync(HttpClient http, Question question, CancellationToken cancellation)
    {
        try
        {
            using HttpResponseMessage response = await http.GetAsync(
                $"api/v1/nodes/{Uri.EscapeDataString(question.Node)}/{question.What}", cancellation);
            using JsonDocument document = JsonDocument.Parse(await response.Content.ReadAsStringAsync(cancellation));
            return (document.RootElement.Clone(), response.IsSuccessStatusCode);
        }
        catch (HttpRequestException e)
        {
            throw new CommandFailure(
                $"no gateway at {question.Gateway}: {e.Message}; start one with 'iotmesh run', or name it with --gateway", ExitCode.Failed);
        }
        catch (JsonException)
        {
            throw new CommandFailure($"what answers at {question.Gateway} is no IoTMesh gateway", ExitCode.Failed);
        }
    }

    private static void WritePing(JsonElement answer, TextWriter output)
    {
        if (answer.GetProperty("ok").GetBoolean())
        {
            int hops = answer.GetProperty("hops").GetInt32();
            string word = hops == 1 ? "hop" : "hops";
            output.WriteLine($"{answer.GetProperty("node")} answers: {hops} {word}, {answer.GetProperty("round_trip_ms")} ms");
        }
    }

    private static void WriteCounters(JsonElement answer, TextWriter output)
    {
        foreach (JsonProperty counter in answer.GetProperty("counters").EnumerateObject())
        {
            output.WriteLine($"{counter.Name,-20} {counter.Value}");
        }
    }

    private static void WriteTable(JsonElement answer, string rows, TextWriter output)
    {
        string[][] table = [.. answer.GetProperty(rows).EnumerateArray().Select(row => row.EnumerateObject().Select(f => Text(f.Value)).ToArray())];
        if (table.Length == 0)
        {
            return;
        }

        string[] names = [.. answer.GetProperty(rows)[0].EnumerateObject().Select(f => f.Name)];
        int[] widths = [.. names.Select((name, i) => Math.Max(name.Length, table.Max(row => row[i].Length)))];
        foreach (string[] row in table.Prepend(names))
        {
            output.WriteLine(string.Join("  ", row.Select((text, i) => text.PadRight(widths[i]))).TrimEnd());
        }
    }

    private static string Text(JsonElement value)
    {
        return value.ValueKind switch
        {
            JsonValueKind.Null => "-",
            JsonValueKind.True => "yes",
            JsonValueKind.False => "no",
            JsonValueKind.Number when value.TryGetDouble(out double number) => number.ToString(CultureInfo.InvariantCulture),
            _ => value.ToString(),
        };
    }
}
