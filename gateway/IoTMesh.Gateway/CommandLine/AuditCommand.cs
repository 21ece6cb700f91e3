using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using IoTMesh.Gateway.Storage;

namespace IoTMesh.Gateway.CommandLine;

/// <summary><c>iotmesh audit</c>: who did what to which node, and who joined or was refused.</summary>
internal static class AuditCommand
{
    private static readonly JsonSerializerOptions _json = new() { PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower };

    internal static Command Create()
    {
        var since = new Option<string?>("--since") { Description = "From then on: 30m, 24h, 7d, or a date such as 2026-11-22.", HelpName = "TIME" };
        var limit = new Option<int>("--limit") { Description = "At most so many.", HelpName = "N", DefaultValueFactory = _ => 200 };
        var json = new Option<bool>("--json") { Description = "A JSON object a line." };
        Option<string?> data = SiteOptions.Data();
        var command = new Command("audit", "Shows who commanded, enrolled, revoked, joined and was refused.") { since, limit, json, data };
        string kept = $"The newest comes last. The last {GatewayStore.AuditMax:N0} entries are kept.";
        HelpWithExamples.Add(command, kept, "iotmesh audit --since 24h", "iotmesh audit --json");
        command.SetAction(parse => Run(
            parse.GetValue(since), parse.GetValue(limit), parse.GetValue(json), parse.GetValue(data)));
        return command;
    }

    private static int Run(string? since, int limit, bool isJson, string? data)
    {
        if (limit is < 1 or > GatewayStore.AuditMax)
        {
            throw new CommandFailure($"--limit: 1 to {GatewayStore.AuditMax}, is {limit}", ExitCode.Usage);
        }

        long fromMs = since is null ? 0 : ReadTime(since);
        using GatewayStore store = SiteOptions.OpenStore(data);
        foreach (AuditEntry entry in store.ReadAudit(fromMs, limit).Reverse())
        {
            DateTimeOffset at = DateTimeOffset.FromUnixTimeMilliseconds(entry.TimeMs).ToLocalTime();
            Console.WriteLine(isJson
                ? JsonSerializer.Serialize(entry, _json)
                : $"{at:yyyy-MM-dd HH:mm:ss}  {entry.Who,-16} {entry.What,-12} {entry.Target}: {entry.Result}");
        }

        return ExitCode.Success;
    }

    private static long ReadTime(string text)
    {
        long nowMs = TimeProvider.System.GetUtcNow().ToUnixTimeMilliseconds();
        long unitMs = text[^1..] switch { "m" => 60_000, "h" => 3_600_000, "d" => 86_400_000, _ => 0 };
        if (unitMs != 0 && int.TryParse(text[..^1], NumberStyles.None, CultureInfo.InvariantCulture, out int count))
        {
            return nowMs - (count * unitMs);
        }

        return DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeLocal, out DateTimeOffset at)
            ? at.ToUnixTimeMilliseconds()
            : throw new CommandFailure($"--since: must be 30m, 24h, 7d or a date such as 2026-11-22, is {text}", ExitCode.Usage);
    }
}
