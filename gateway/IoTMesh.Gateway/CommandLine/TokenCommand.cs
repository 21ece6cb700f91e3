using System.CommandLine;
using System.Globalization;
using IoTMesh.Gateway.Http;
using IoTMesh.Gateway.Settings;
using IoTMesh.Gateway.Storage;

namespace IoTMesh.Gateway.CommandLine;

/// <summary><c>iotmesh token</c>: keys of programs to the REST interface and metrics.</summary>
internal static class TokenCommand
{
    private const int DaysMax = 3650;

    private static readonly Option<string?> _data = SiteOptions.Data();

    internal static Command Create()
    {
        var command = new Command("token", "Makes, lists and revokes tokens for REST and metrics.") { CreateCreate(), CreateList(), CreateRevoke() };
        HelpWithExamples.Add(command, """
            A token is shown once; the site keeps its SHA-256 only. A running gateway knows at once of a new or a revoked one.
            """, "iotmesh token create --name prometheus --role viewer", "iotmesh token list", "iotmesh token revoke prometheus");
        return command;
    }

    private static Command CreateCreate()
    {
        var name = new Option<string>("--name") { Description = "Name, for lists and the audit.", HelpName = "NAME", Required = true };
        var role = new Option<string>("--role") { Description = $"{RoleNames.All}.", HelpName = "ROLE", Required = true };
        var days = new Option<int?>("--days") { Description = "It is good so long; for ever where not given.", HelpName = "N" };
        var command = new Command("create", "Makes a token and prints it, this once.") { name, role, days, _data };
        HelpWithExamples.Add(command, """
            Send it in the header `Authorization: Bearer TOKEN`.
            """, "iotmesh token create --name prometheus --role viewer", "iotmesh token create --name script --role operator --days 30");
        command.SetAction(parse => MakeAsync(
            parse.GetRequiredValue(name), parse.GetRequiredValue(role), parse.GetValue(days), parse.GetValue(_data)));
        return command;
    }

    private static Command CreateList()
    {
        var command = new Command("list", "Lists the tokens, without their secrets.") { _data };
        command.SetAction(parse => List(parse.GetValue(_data)));
        return command;
    }

    private static Command CreateRevoke()
    {
        var name = new Argument<string>("NAME") { Description = "The token's name." };
        var command = new Command("revoke", "Revokes a token at once.") { name, _data };
        command.SetAction(parse => RevokeAsync(parse.GetRequiredValue(name), parse.GetValue(_data)));
        return command;
    }

    private static async Task<int> MakeAsync(string name, string roleName, int? days, string? data)
    {
        if (RoleNames.Parse(roleName) is not { } role)
        {
            throw new CommandFailure($"--role: {RoleNames.Check(roleName)}", ExitCode.Usage);
        }

        if (TokenFile.CheckName(name) is { } problem)
        {
            throw new CommandFailure($"--name: {problem}", ExitCode.Usage);
        }

        if (days is < 1 or > DaysMax)
        {
            throw new CommandFailure($"--days: must be from 1 to {DaysMax}, is {days}", ExitCode.Usage);
        }

        using GatewayStore store = SiteOptions.OpenStore(data);
        string token = new TokenFile(Enrolment.FolderOf(data)).Create(name, role, days, TimeProvider.System.GetUtcNow());
        await store.AuditAsync(SiteOptions.Who, "create-token", name, roleName);
        Console.WriteLine(token);
        Console.Error.WriteLine($"token {name}, {roleName}, {(days is null ? "for ever" : $"for {days} days")}; it cannot be shown again");
        return ExitCode.Success;
    }

    private static int List(string? data)
    {
        IReadOnlyList<ApiToken> tokens = new TokenFile(Enrolment.FolderOf(data)).Load();
        if (tokens.Count == 0)
        {
            Console.Error.WriteLine("no tokens; make one with: iotmesh token create --name NAME --role viewer");
            return ExitCode.Success;
        }

        int width = Math.Max(4, tokens.Max(t => t.Name.Length));
        Console.WriteLine($"{"name".PadRight(width)}  role      created     expires");
        foreach (ApiToken token in tokens)
        {
            string expires = token.Expires is null ? "never" : Day(token.Expires.Value) + (token.Expires <= DateTimeOffset.UtcNow ? " (past)" : "");
            Console.WriteLine($"{token.Name.PadRight(width)}  {token.Role.Name(),-8}  {Day(token.Created)}  {expires}");
        }

        return ExitCode.Success;
    }

    private static async Task<int> RevokeAsync(string name, string? data)
    {
        using GatewayStore store = SiteOptions.OpenStore(data);
        if (!new TokenFile(Enrolment.FolderOf(data)).Revoke(name))
        {
            throw new CommandFailure($"no token {name}; iotmesh token list shows them", ExitCode.Failed);
        }

        await store.AuditAsync(SiteOptions.Who, "revoke-token", name, "ok");
        Console.WriteLine($"revoked {name}");
        return ExitCode.Success;
    }

    private static string Day(DateTimeOffset time)
    {
        return time.UtcDateTime.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture);
    }
}
