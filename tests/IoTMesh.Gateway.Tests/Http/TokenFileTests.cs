using IoTMesh.Gateway.Http;
using IoTMesh.Gateway.Settings;
using IoTMesh.Gateway.Site;
using IoTMesh.Gateway.Storage;
using IoTMesh.Gateway.Tests.CommandLine;
using IoTMesh.Gateway.Tests.Pages;

namespace IoTMesh.Gateway.Tests.Http;

public sealed class TokenFileTests : IDisposable
{
    private static readonly DateTimeOffset _now = new(2026, 11, 22, 0, 0, 0, TimeSpan.Zero);

    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("iotmesh-tokens-");

    private string File_ => Path.Combine(_folder.FullName, "tokens.json");

    [Fact]
    public void A_token_is_good_until_it_expires()
    {
        var tokens = new TokenFile(_folder.FullName);
        string token = tokens.Create("a", Role.Operator, 2, _now);
        string other = tokens.Create("b", Role.Viewer, null, _now);
        Assert.Equal(("a", Role.Operator), (tokens.Find(token, _now.AddDays(1.9))!.Name, tokens.Find(token, _now)!.Role));
        Assert.Null(tokens.Find(token, _now.AddDays(2)));
        Assert.Equal("b", tokens.Find(other, _now.AddYears(50))!.Name);
        Assert.Null(tokens.Find(token[..^1], _now));
        Assert.Null(tokens.Find("", _now));
    }

    [Fact]
    public void A_file_open_to_others_or_damaged_lets_nobody_in()
    {
        var tokens = new TokenFile(_folder.FullName);
        string token = tokens.Create("a", Role.Admin, null, _now);
        if (OperatingSystem.IsWindows())
        {
            return;
        }

        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(File_));
        File.SetUnixFileMode(File_, UnixFileMode.UserRead | UnixFileMode.GroupRead);
        Assert.Contains("chmod 600", Assert.Throws<SiteException>(() => new TokenFile(_folder.FullName).Find(token, _now)).Message);
        SecretFile.Write(File_, "[{\"name\":\"a\",\"role\":\"admin\"}]");
        Assert.Contains("tokens.json: is damaged (", Assert.Throws<SiteException>(() => tokens.Find(token, _now)).Message);
        Assert.Throws<SiteException>(() => tokens.Find(token, _now));
        SecretFile.Write(File_, "[null]");
        Assert.Throws<SiteException>(() => tokens.Find(token, _now));
    }

    [Fact]
    public void The_table_of_tokens_is_bounded()
    {
        var tokens = new TokenFile(null);
        for (int i = 0; i < TokenFile.TokensMax; i++)
        {
            tokens.Create($"t{i}", Role.Viewer, null, _now);
        }

        Assert.Contains("revoke some", Assert.Throws<SiteException>(() => tokens.Create("one-more", Role.Viewer, null, _now)).Message);
    }

    [Fact]
    public async Task The_command_line_makes_lists_and_revokes()
    {
        string data = _folder.FullName;
        (int code0, _, string none) = await Iotmesh.RunAsync("token", "create", "--name", "a", "--role", "viewer", "--data", data + "/none");
        Assert.Equal((2, $"iotmesh: {data}/none: no site here (gateway.db is missing); name its folder with --data\n"), (code0, none));
        new GatewayStore(Path.Combine(data, "gateway.db"), _ => null, TimeProvider.System).Dispose();
        (int code, string output, string error) = await Iotmesh.RunAsync(
            "token", "create", "--name", "prometheus", "--role", "viewer", "--days", "30", "--data", data);
        Assert.Equal((0, "token prometheus, viewer, for 30 days; it cannot be shown again\n"), (code, error));
        Assert.Equal("prometheus", new TokenFile(data).Find(output.Trim(), DateTimeOffset.UtcNow)!.Name);
        (code, string list, _) = await Iotmesh.RunAsync("token", "list", "--data", data);
        Assert.Matches("name        role      created     expires\nprometheus  viewer    20..-..-..  20..-..-..\n", list);
        (code, output, _) = await Iotmesh.RunAsync("token", "revoke", "prometheus", "--data", data);
        Assert.Equal((0, "revoked prometheus\n"), (code, output));
        (code, _, error) = await Iotmesh.RunAsync("token", "revoke", "prometheus", "--data", data);
        Assert.Equal((1, "iotmesh: no token prometheus; iotmesh token list shows them\n"), (code, error));
        (code, _, error) = await Iotmesh.RunAsync("token", "create", "--name", "x", "--role", "boss", "--data", data);
        Assert.Equal((2, "iotmesh: --role: must be viewer, operator or admin, is \"boss\"\n"), (code, error));
    }

    [Fact]
    public void Guessing_gets_slower_and_the_table_of_addresses_is_bounded()
    {
        var time = new HandTime();
        var throttle = new LoginThrottle(time);
        int[] waits = [.. Enumerable.Range(0, 16).Select(_ =>
        {
            throttle.Fail("a");
            return throttle.WaitSeconds("a");
        })];
        Assert.Equal([0, 0, 0, 1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 900, 900, 900], waits);
        Assert.Equal(0, throttle.WaitSeconds("b"));
        throttle.Succeed("a");
        Assert.Equal(0, throttle.WaitSeconds("a"));
        for (int i = 0; i < 5; i++)
        {
            throttle.Fail("oldest");
        }

        time.Advance(TimeSpan.FromMilliseconds(1));
        for (int i = 0; i < LoginThrottle.AddressesMax; i++)
        {
            throttle.Fail($"{i}");
        }

        Assert.Equal(0, throttle.WaitSeconds("oldest"));
    }

    public void Dispose()
    {
        _folder.Delete(recursive: true);
    }
}
