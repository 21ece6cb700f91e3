using System.Net;
using System.Net.Http.Headers;
using System.Text.RegularExpressions;
using IoTMesh.Driver;
using IoTMesh.Gateway.Demo;
using IoTMesh.Gateway.Service;
using IoTMesh.Gateway.Settings;
using IoTMesh.Gateway.Storage;
using IoTMesh.Gateway.Tests.Bridge;
using IoTMesh.Simulation;

namespace IoTMesh.Gateway.Tests.Http;

/// <summary>A real gateway with one virtual node and three users, one of each role; name and password are the role's.</summary>
public sealed partial class SecuredSite : IAsyncLifetime
{
    public const string Node = "node-2";

    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("iotmesh-secured-");
    private readonly MemoryStorage _storage = new();
    private readonly byte[] _secret = [7, .. new byte[31]];
    private VirtualSite? _site;

    internal GatewayService Gateway { get; private set; } = null!;

    /// <summary>What the gateway has written down so far.</summary>
    internal IReadOnlyList<string> Audit => [.. Gateway.Store.ReadAudit(0, 1000).Select(e => $"{e.Who}: {e.What} {e.Target}: {e.Result}")];

    internal string Folder => _folder.FullName;

    /// <summary>Settings of HTTP; change before <see cref="InitializeAsync"/>.</summary>
    internal HttpSettings Http { get; set; } = new()
    {
        Listen = new IoTMesh.Gateway.Settings.Endpoint("127.0.0.1", 0),
        Users = [.. Enum.GetValues<Role>().Select(r => new HttpUser(NameOf(r), Password.Hash(NameOf(r) + "-password"), r))],
    };

    public static string NameOf(Role role)
    {
        return role.ToString().ToLowerInvariant();
    }

    public async Task InitializeAsync()
    {
        _site = new VirtualSite(Topology.Create(TopologyKind.Line, 2), _secret, periodSeconds: 1, seed: 1);
        using (var store = new GatewayStore(Path.Combine(Folder, "gateway.db"), _ => null, TimeProvider.System))
        {
            store.Start();
            await Task.WhenAll(_site.Devices.Select(d => store.SaveDeviceAsync(d)));
        }

        await StartAsync();
        _site.StartAll();
    }

    public async Task DisposeAsync()
    {
        await Gateway.DisposeAsync();
        _site!.Dispose();
        _folder.Delete(recursive: true);
    }

    internal async Task StartAsync()
    {
        Gateway = await GatewayService.StartAsync(new GatewayParts
        {
            Settings = new GatewaySettings
            {
                Site = "t",
                CommandTimeoutMs = 8_000,
                Http = Http,
                Mqtt = new MqttSettings { Listen = new IoTMesh.Gateway.Settings.Endpoint("127.0.0.1", 0) },
            },
            SiteSecret = _secret,
            Database = Path.Combine(Folder, "gateway.db"),
            Link = _site!.ConnectGateway(),
            MeshStorage = _storage,
            Folder = Folder,
        });
    }

    /// <summary>A browser without JavaScript: keeps cookies, follows no redirects.</summary>
    internal HttpClient Browser(out CookieContainer cookies)
    {
        cookies = new CookieContainer();
        return new HttpClient(new HttpClientHandler { AllowAutoRedirect = false, CookieContainer = cookies })
        {
            BaseAddress = Gateway.Address,
            DefaultRequestHeaders = { Accept = { new MediaTypeWithQualityHeaderValue("text/html") } },
        };
    }

    /// <summary>A program with that user's password, or with nothing.</summary>
    internal HttpClient Program(Role? role)
    {
        var http = new HttpClient(new HttpClientHandler { AllowAutoRedirect = false }) { BaseAddress = Gateway.Address };
        if (role is { } some)
        {
            byte[] login = System.Text.Encoding.UTF8.GetBytes($"{NameOf(some)}:{NameOf(some)}-password");
            http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Basic", Convert.ToBase64String(login));
        }

        return http;
    }

    /// <summary>Waits until the audit, which is written behind what it tells, has that line.</summary>
    internal Task AuditHasAsync(string line)
    {
        return Eventually.HoldsAsync(() => Audit.Contains(line), $"the audit has: {line}");
    }

    internal static async Task<HttpResponseMessage> LoginAsync(HttpClient browser, string user, string password, string to = "/")
    {
        string page = await browser.GetStringAsync(new Uri("login?to=" + Uri.EscapeDataString(to), UriKind.Relative));
        return await PostFormAsync(browser, "login", page, new() { ["user"] = user, ["password"] = password, ["to"] = to });
    }

    /// <summary>Sends a form with the hidden token of that page.</summary>
    internal static Task<HttpResponseMessage> PostFormAsync(HttpClient browser, string path, string page, Dictionary<string, string> fields)
    {
        Match token = TokenField().Match(page);
        fields["__RequestVerificationToken"] = token.Groups[1].Value;
        return browser.PostAsync(new Uri(path, UriKind.Relative), new FormUrlEncodedContent(fields));
    }

    [GeneratedRegex("name=\"__RequestVerificationToken\" value=\"([^\"]+)\"")]
    private static partial Regex TokenField();
}
