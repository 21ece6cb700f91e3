using System.Text;
using IoTMesh.Gateway.Settings;

namespace IoTMesh.Gateway.Tests.Settings;

public sealed class SettingsFileTests
{
    [Fact]
    public void Defaults_stand_where_nothing_is_said()
    {
        GatewaySettings settings = Parse("{ }");
        Assert.Equal(new GatewaySettings() with { Mqtt = settings.Mqtt, Http = settings.Http }, settings);
        Assert.True(settings.Http.Listen.IsLoopback && settings.Mqtt.Listen.IsLoopback);
    }

    [Fact]
    public void Comments_and_trailing_commas_are_allowed()
    {
        GatewaySettings settings = Parse("""
            {
              // where we are
              "site": "barn", /* and */ "gateway": "gw2",
              "mqtt": { "broker": "broker.example:1884", "user": "u", "password": "p", },
              "http": { "listen": "127.0.0.1:0" },
            }
            """);
        Assert.Equal(("barn", "gw2", "broker.example:1884"), (settings.Site, settings.Gateway, settings.Mqtt.Broker!.ToString()));
    }

    [Theory]
    [InlineData("{\n  \"sit\": \"a\"\n}", "s.json:2: sit: no such setting; did you mean \"site\"?")]
    [InlineData("{\n\n  \"mqtt\": { \"lisen\": \"x\" } }", "s.json:3: mqtt.lisen: no such setting; did you mean \"listen\"?")]
    [InlineData("{ \"address\": \"1\" }", "s.json:1: address: must be a whole number from 1 to 65519, is \"1\"")]
    [InlineData("{ \"address\": 0 }", "s.json:1: address: must be a whole number from 1 to 65519, is 0")]
    [InlineData("{ \"address\": 1.5 }", "s.json:1: address: must be a whole number from 1 to 65519, is 1.5")]
    [InlineData("{ \"site\": \"My House\" }", "s.json:1: site: must be 1 to 48 characters a-z, 0-9 and -, is \"My House\"")]
    [InlineData("{ \"homeAssistant\": { \"enabled\": \"yes\" } }", "s.json:1: homeAssistant.enabled: must be true or false, is \"yes\"")]
    [InlineData("{ \"http\": 8080 }", "s.json:1: http: must be an object { ... }, is 8080")]
    [InlineData("{ \"http\": { \"listen\": \"8080\" } }", "s.json:1: http.listen: must be host:port, for example 127.0.0.1:8080")]
    [InlineData("{ \"site\": \"a\",\n \"site\": \"b\" }", "s.json:2: site: is given twice (first in line 1)")]
    [InlineData("[1]", "s.json:1: settings begin with { and end with }")]
    [InlineData("{\n \"http\":\n { \"listen\": \"0.0.0.0:80\" } }", "s.json:3: http.listen: 0.0.0.0:80 can be reached from other machines")]
    [InlineData("{ \"mqtt\": { \"listen\": \"0.0.0.0:1883\" } }", "s.json:1: mqtt.listen: 0.0.0.0:1883 can be reached from other machines")]
    [InlineData("{ \"mqtt\": { \"user\": \"u\" } }", "s.json:1: mqtt.user: user, password and tls are for another broker")]
    [InlineData(
        "{ \"http\": { \"users\": [ { \"user\": \"u\", \"passwordHash\": \"secret\" } ] } }", "s.json:1: http.users.passwordHash: is not a hash")]
    [InlineData("{ \"http\": { \"users\": [ { \"user\": \"u\" } ] } }", "s.json:1: http.users.passwordHash: is missing")]
    [InlineData("{ \"mqtt\": { \"tlsListen\": \"127.0.0.1:8883\" } }", "s.json:1: mqtt.tlsListen: needs mqtt.certificate")]
    [InlineData("{ \"mqtt\": { \"certificate\": \"c\" } }", "s.json:1: mqtt.certificate: needs mqtt.tlsListen, or another broker with TLS")]
    [InlineData("{ \"mqtt\": { \"authority\": \"c\" } }", "s.json:1: mqtt.authority: needs another broker (mqtt.broker) with ")]
    [InlineData("{ \"mqtt\": { \"users\": [ { \"user\": \"u\" } ] } }", "s.json:1: mqtt.users: one has no passwordHash: ")]
    [InlineData("{ \"mqtt\": { \"broker\": \"b\", \"tls\": true, \"pins\": \"abc\" } }", "s.json:1: mqtt.pins: must be SHA-256 hashes of ")]
    [InlineData("{ \"mqtt\": { \"tlsListen\": \"0.0.0.0:1\", \"certificate\": \"c\" } }", "s.json:1: mqtt.tlsListen: 0.0.0.0:1 can be reached ")]
    [InlineData("{ \"http\": { \"key\": \"k.pem\" } }", "s.json:1: http.key: belongs to http.certificate, which is missing")]
    [InlineData("{ \"http\": { \"certificate\": \"c\", \"insecureHttp\": true } }", "s.json:1: http.insecureHttp: is of no use with ")]
    [InlineData("{ \"site\": \n", "s.json:2: not valid JSON")]
    public void A_wrong_setting_is_named_with_file_line_and_key(string json, string expected)
    {
        var e = Assert.Throws<SettingsException>(() => Parse(json));
        Assert.StartsWith(expected, e.Message);
        Assert.DoesNotContain('\n', e.Message);
    }

    [Fact]
    public void Other_machines_may_come_in_with_a_password()
    {
        string hash = Password.Hash("correct horse");
        string user = $$"""{ "user": "u", "passwordHash": "{{hash}}", "role": "operator" }""";
        GatewaySettings settings = Parse($$"""{ "http": { "listen": "0.0.0.0:8080", "insecureHttp": true, "users": [ {{user}} ] } }""");
        Assert.Equal(Role.Operator, settings.Http.Users[0].Role);
        Assert.False(settings.Http.Listen.IsLoopback);
        Assert.True(Password.Verify("correct horse", settings.Http.Users[0].PasswordHash));
        Assert.False(Password.Verify("Correct horse", settings.Http.Users[0].PasswordHash));
    }

    [Fact]
    public void Any_damage_to_a_good_file_is_a_settings_error_and_nothing_else()
    {
        byte[] good = Encoding.UTF8.GetBytes("{ \"site\": \"a\", \"mqtt\": { \"listen\": \"127.0.0.1:1\", \"users\": [ ] }, \"address\": 3 }");
        var random = new Random(5);
        int refused = 0;
        for (int i = 0; i < 5_000; i++)
        {
            byte[] damaged = (byte[])good.Clone();
            damaged[random.Next(damaged.Length)] = (byte)random.Next(256);
            try
            {
                SettingsFile.Parse("s.json", damaged.AsSpan(0, random.Next(2) == 0 ? damaged.Length : random.Next(damaged.Length)));
            }
            catch (SettingsException)
            {
                refused++;
            }
        }

        Assert.InRange(refused, 2_500, 5_000);
    }

    private static GatewaySettings Parse(string json)
    {
        return SettingsFile.Parse("s.json", Encoding.UTF8.GetBytes(json));
    }
}
