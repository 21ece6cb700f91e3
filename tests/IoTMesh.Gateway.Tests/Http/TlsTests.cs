using System.Net;
using System.Net.Security;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using IoTMesh.Gateway.Settings;
using IoTMesh.Gateway.Tests.Bridge;
using IoTMesh.Mqtt.Tests;

namespace IoTMesh.Gateway.Tests.Http;

/// <summary>Pages and REST over TLS with a certificate of a test authority.</summary>
public sealed class TlsTests : IAsyncLifetime
{
    private readonly TestAuthority _authority = new();
    private readonly SecuredSite _site = new();
    private TestAuthority.Issued _files = null!;

    public Task InitializeAsync()
    {
        _files = _authority.Server("127.0.0.1");
        _site.Http = _site.Http with { Certificate = _files.Certificate, Key = _files.Key };
        return _site.InitializeAsync();
    }

    public async Task DisposeAsync()
    {
        await _site.DisposeAsync();
        _authority.Dispose();
    }

    [Fact]
    public async Task A_client_that_knows_the_authority_logs_in_and_gets_a_cookie_for_TLS_only()
    {
        Assert.Equal("https", _site.Gateway.Address.Scheme);
        using HttpClient browser = Client(_authority.File, SslProtocols.None);
        using HttpResponseMessage login = await SecuredSite.LoginAsync(browser, "viewer", "viewer-password");
        string cookie = login.Headers.GetValues("Set-Cookie").Single(c => c.StartsWith("__Host-iotmesh=", StringComparison.Ordinal));
        Assert.Contains("; secure", cookie);
        Assert.Contains("\"viewer\"", await browser.GetStringAsync("api/v1/me"));
    }

    [Fact]
    public async Task Others_are_refused()
    {
        using var other = new TestAuthority("another");
        using HttpClient stranger = Client(other.File, SslProtocols.None);
        await Assert.ThrowsAsync<HttpRequestException>(() => stranger.GetStringAsync("healthz"));
#pragma warning disable CA5397, SYSLIB0039 // Old versions are what must be refused.
        using HttpClient old = Client(_authority.File, SslProtocols.Tls11);
#pragma warning restore CA5397, SYSLIB0039
        await Assert.ThrowsAsync<HttpRequestException>(() => old.GetStringAsync("healthz"));
        using var plain = new HttpClient();
        await Assert.ThrowsAsync<HttpRequestException>(() => plain.GetStringAsync($"http://127.0.0.1:{_site.Gateway.Address.Port}/healthz"));
    }

    [Fact]
    public async Task A_renewed_certificate_is_taken_without_a_restart_and_a_broken_one_is_not()
    {
        string before = await ShownAsync();
        File.WriteAllText(_files.Certificate, "broken");
        await Eventually.HoldsAsync(
            () => ShownAsync().Result == before && _site.Gateway.Live.Current.Events.Any(
                e => e.Level == "error" && e.Text.EndsWith("The one before stays in use.", StringComparison.Ordinal)),
            "it says that the file is broken");
        TestAuthority.Issued renewed = _authority.Server("127.0.0.1");
        File.Copy(renewed.Key, _files.Key, overwrite: true);
        File.Copy(renewed.Certificate, _files.Certificate, overwrite: true);
        await Eventually.HoldsAsync(() => ShownAsync().Result != before, "the renewed certificate is shown");
    }

    [Fact]
    public async Task A_certificate_that_cannot_be_used_is_one_line()
    {
        HttpSettings wrong = _site.Http with { Key = _authority.Server("127.0.0.1").Key };
        SettingsException e = await Assert.ThrowsAsync<SettingsException>(() => IoTMesh.Gateway.Http.HttpHost.StartAsync(
            wrong, null, _site.Gateway.Live, _ => { }, () => []));
        Assert.StartsWith($"http.certificate: The certificate {wrong.Certificate} with the key {wrong.Key} cannot be used: ", e.Message);
        Assert.DoesNotContain('\n', e.Message);
    }

    private async Task<string> ShownAsync()
    {
        string shown = "";
        using var handler = new SocketsHttpHandler();
        handler.SslOptions.RemoteCertificateValidationCallback = (_, certificate, _, _) =>
        {
            shown = certificate!.GetCertHashString();
            return true;
        };
        using var http = new HttpClient(handler) { BaseAddress = _site.Gateway.Address };
        await http.GetStringAsync("healthz");
        return shown;
    }

    private HttpClient Client(string authority, SslProtocols protocols)
    {
        var handler = new SocketsHttpHandler { AllowAutoRedirect = false, CookieContainer = new CookieContainer() };
        var policy = new X509ChainPolicy { TrustMode = X509ChainTrustMode.CustomRootTrust, RevocationMode = X509RevocationMode.NoCheck };
        policy.CustomTrustStore.ImportFromPemFile(authority);
        handler.SslOptions = new SslClientAuthenticationOptions { CertificateChainPolicy = policy, EnabledSslProtocols = protocols };
        return new HttpClient(handler) { BaseAddress = _site.Gateway.Address };
    }
}
