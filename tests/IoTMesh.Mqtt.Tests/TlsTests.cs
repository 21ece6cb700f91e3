namespace IoTMesh.Mqtt.Tests;

/// <summary>TLS of client and broker against real mosquitto, with certificates of authorities that the test makes.</summary>
public sealed class TlsTests : IDisposable
{
    private readonly TestAuthority _authority = new();
    private readonly TestAuthority _other = new("another CA");

    [NeedsFact("mosquitto")]
    public async Task Our_client_takes_a_broker_that_its_authority_has_signed_and_whose_key_is_pinned()
    {
        TestAuthority.Issued server = _authority.Server("127.0.0.1");
        await using RunningProgram broker = await MosquittoAsync(server, "");
        await using TestClient client = await TestClient.ConnectAsync(
            Options(new MqttTlsOptions { AuthorityFile = _authority.File, Pins = ["AAAA", server.Pin] }));
        await client.Client.SubscribeAsync("a", 1);
        await client.PublishAsync("a", "sealed", 1);
        Assert.Equal("a=sealed q1", await client.NextTextAsync());
    }

    [NeedsFact("mosquitto")]
    public async Task Our_client_refuses_every_other_broker_and_says_why()
    {
        TestAuthority.Issued good = _authority.Server("127.0.0.1");
        await RefusedAsync(good, new() { AuthorityFile = _other.File }, "is not signed by an authority in ", "(but by CN=IoTMesh test CA)");
        await RefusedAsync(good, new(), "is not signed by an authority that this machine trusts");
        await RefusedAsync(_authority.Server("127.0.0.1", days: -1), new() { AuthorityFile = _authority.File }, "its certificate expired on 20");
        await RefusedAsync(
            _authority.Server("127.0.0.1", days: 90), new() { AuthorityFile = _authority.File }, "its certificate is good only from 20");
        await RefusedAsync(
            _authority.Server("broker.example"), new() { AuthorityFile = _authority.File },
            "its certificate is for broker.example, not for 127.0.0.1");
        await RefusedAsync(_authority.Client("127.0.0.1"), new() { AuthorityFile = _authority.File }, "its certificate cannot be used: ");
        await RefusedAsync(
            good, new() { AuthorityFile = _authority.File, Pins = [_authority.Server("127.0.0.1").Pin] },
            $"its key is not one of the pinned ones (its pin is {good.Pin})");
        await RefusedAsync(good, new() { AuthorityFile = "/no/ca.pem" }, "The authorities in /no/ca.pem cannot be read: ");
        await RefusedAsync(
            good, new() { AuthorityFile = _authority.File, CertificateFile = good.Certificate, KeyFile = _authority.Client("x").Key },
            "The certificate ", " cannot be used: ");
    }

    [NeedsTheory("mosquitto")]
    [InlineData("tlsv1.2")]
    [InlineData("tlsv1.3")]
    public async Task A_broker_that_wants_a_client_certificate_gets_it(string version)
    {
        TestAuthority.Issued client = _authority.Client("gw1");
        TestAuthority.Issued server = _authority.Server("127.0.0.1");
        string demand = $"tls_version {version}\nrequire_certificate true\nuse_identity_as_username true\n";
        var options = new MqttTlsOptions { AuthorityFile = _authority.File, CertificateFile = client.Certificate, KeyFile = client.Key };
        await using (RunningProgram broker = await MosquittoAsync(server, demand))
        {
            await using TestClient known = await TestClient.ConnectAsync(Options(options));
            await broker.LineAsync(line => line.Contains("u'gw1'"));
        }

        await RefusedUnderAsync(
            demand, server, options with { CertificateFile = null, KeyFile = null }, "perhaps it wants a client certificate, and none");
        TestAuthority.Issued foreign = _other.Client("gw1");
        await RefusedUnderAsync(
            demand, server, options with { CertificateFile = foreign.Certificate, KeyFile = foreign.Key },
            $"perhaps it does not take the client certificate {foreign.Certificate}");
    }

    [NeedsFact("mosquitto_sub")]
    public async Task Mosquitto_tools_work_on_our_broker_over_TLS_and_refuse_it_under_another_authority()
    {
        await using MqttBroker broker = await OurBrokerAsync(authority: null);
        string port = $"{broker.TlsPort}";
        await RunningProgram.RunAsync(
            "mosquitto_pub", "-p", port, "--cafile", _authority.File, "-h", "127.0.0.1", "-t", "a", "-m", "kept", "-r", "-q", "1");
        string heard = await RunningProgram.RunAsync(
            "mosquitto_sub", "-p", port, "--cafile", _authority.File, "-h", "127.0.0.1", "-t", "a", "-C", "1");
        Assert.Contains("kept", heard);
        await using var wary = new RunningProgram("mosquitto_sub", "-p", port, "--cafile", _other.File, "-h", "127.0.0.1", "-t", "a", "-C", "1");
        Assert.NotEqual(0, await wary.ExitAsync());
    }

    [NeedsTheory("mosquitto_sub")]
    [InlineData("dashboard", true, true)]
    [InlineData("stranger", true, false)]
    [InlineData("dashboard", false, false)]
    [InlineData("", true, false)]
    public async Task Our_broker_knows_clients_by_their_certificates(string name, bool ours, bool admitted)
    {
        await using MqttBroker broker = await OurBrokerAsync(_authority.File);
        string port = $"{broker.TlsPort}";
        var arguments = new List<string> { "-p", port, "--cafile", _authority.File, "-h", "127.0.0.1", "-t", "a", "-m", "x", "-q", "1" };
        if (name.Length > 0)
        {
            TestAuthority.Issued client = (ours ? _authority : _other).Client(name);
            arguments.AddRange(["--cert", client.Certificate, "--key", client.Key]);
        }

        await using var publisher = new RunningProgram("mosquitto_pub", [.. arguments]);
        Assert.Equal(admitted, await publisher.ExitAsync() == 0);
    }

    [Fact]
    public async Task Our_client_and_our_broker_know_each_other_by_certificates()
    {
        await using MqttBroker broker = await OurBrokerAsync(_authority.File);
        TestAuthority.Issued own = _authority.Client("dashboard");
        var tls = new MqttTlsOptions { AuthorityFile = _authority.File, CertificateFile = own.Certificate, KeyFile = own.Key };
        var options = new MqttClientOptions { Port = broker.TlsPort, UseTls = true, Tls = tls };
        await using TestClient client = await TestClient.ConnectAsync(options);
        await client.PublishAsync("a", "x", 1);
        await using TestClient other = TestClient.Start(options with { UserName = "admin", Password = "p" });
        Assert.Contains("bad user name or password", (await other.Changes.NextAsync()).Text);
    }

    [Fact]
    public async Task A_TLS_listener_beyond_this_machine_lets_nobody_in_without_users_or_certificates()
    {
        var tls = new MqttTlsListener { Address = System.Net.IPAddress.Any, Port = 0, Certificate = Certificate() };
        await using var open = new MqttBroker(new MqttBrokerOptions { Port = 0, Tls = tls });
        Assert.Contains("without users", (await Assert.ThrowsAsync<MqttException>(() => open.StartAsync())).Message);
        var closed = tls with { ClientAuthorityFile = _authority.File, RequireClientCertificate = true };
        await using var broker = new MqttBroker(new MqttBrokerOptions { Port = 0, Tls = closed });
        await broker.StartAsync();
    }

    public void Dispose()
    {
        _authority.Dispose();
        _other.Dispose();
    }

    private int _port;

    private MqttClientOptions Options(MqttTlsOptions tls) => new() { Port = _port, UseTls = true, Tls = tls };

    private PemCertificate Certificate()
    {
        TestAuthority.Issued server = _authority.Server("127.0.0.1");
        return new PemCertificate(server.Certificate, server.Key);
    }

    private async Task<MqttBroker> OurBrokerAsync(string? authority)
    {
        var broker = new MqttBroker(new MqttBrokerOptions
        {
            Port = 0,
            Tls = new MqttTlsListener
            {
                Port = 0,
                Certificate = Certificate(),
                ClientAuthorityFile = authority,
                RequireClientCertificate = authority is not null,
            },
            AdmitCertificate = name => name == "dashboard",
        });
        await broker.StartAsync();
        return broker;
    }

    private Task RefusedAsync(TestAuthority.Issued server, MqttTlsOptions tls, params string[] expected) =>
        RefusedUnderAsync("", server, tls, expected);

    private async Task RefusedUnderAsync(string settings, TestAuthority.Issued server, MqttTlsOptions tls, params string[] expected)
    {
        await using RunningProgram broker = await MosquittoAsync(server, settings);
        await using TestClient client = TestClient.Start(Options(tls));
        (bool connected, string text) = await client.Changes.NextAsync();
        Assert.False(connected);
        Assert.All(expected, part => Assert.Contains(part, text));
    }

    private async Task<RunningProgram> MosquittoAsync(TestAuthority.Issued server, string more)
    {
        _port = Programs.FreePort();
        string file = Path.Combine(Path.GetDirectoryName(server.Certificate)!, $"mosquitto-{_port}.conf");

        // As root mosquitto gives its rights up, and then cannot read the test's files.
        await File.WriteAllTextAsync(
            file,
            $"listener {_port} 127.0.0.1\nallow_anonymous true\nuser {Environment.UserName}\ncafile {_authority.File}\n"
            + $"certfile {server.Certificate}\nkeyfile {server.Key}\n{more}");
        var broker = new RunningProgram("mosquitto", "-c", file, "-v");
        await broker.LineAsync(line => line.Contains("running"));
        return broker;
    }
}
