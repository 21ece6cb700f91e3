using System.Net;

namespace IoTMesh.Gateway.Settings;

/// <summary>Everything the service can be told. Immutable; the defaults run a gateway on this machine only.</summary>
public sealed record GatewaySettings
{
    /// <summary>Name of the site in topics, <c>[a-z0-9-]</c>.</summary>
    public string Site { get; init; } = "home";

    /// <summary>Name of this gateway in topics, <c>[a-z0-9-]</c>.</summary>
    public string Gateway { get; init; } = "gw1";

    /// <summary>The gateway's own mesh address.</summary>
    public ushort Address { get; init; } = 1;

    /// <summary>Folder of the site secret, the registry and the outbox; null for <see cref="DefaultDataFolder"/>.</summary>
    public string? Data { get; init; }

    /// <summary>UDP endpoint of the air, host:port.</summary>
    public Endpoint Air { get; init; } = new("127.0.0.1", 17700);

    public MqttSettings Mqtt { get; init; } = new();

    public HttpSettings Http { get; init; } = new();

    public StorageSettings Storage { get; init; } = new();

    public HomeAssistantSettings HomeAssistant { get; init; } = new();

    public KeysSettings Keys { get; init; } = new();

    /// <summary>A node is offline after this long without traffic, ms; nodes that report more slowly get three of their periods.</summary>
    public int OfflineAfterMs { get; init; } = 10_000;

    /// <summary>A command that has no answer after this long fails, ms.</summary>
    public int CommandTimeoutMs { get; init; } = 10_000;

    /// <summary>$IOTMESH_DATA, or the folder <c>iotmesh</c> in the user's data folder.</summary>
    public static string DefaultDataFolder()
    {
        string? own = Environment.GetEnvironmentVariable("IOTMESH_DATA");
        return string.IsNullOrWhiteSpace(own)
            ? Path.Combine(
                Environment.GetFolderPath(Environment.SpecialFolder.LocalApplicationData, Environment.SpecialFolderOption.DoNotVerify), "iotmesh")
            : own;
    }
}

/// <summary>A host and a port.</summary>
public sealed record Endpoint(string Host, int Port)
{
    /// <summary>True for a name or address that only this machine reaches.</summary>
    public bool IsLoopback => Host == "localhost" || (IPAddress.TryParse(Host, out IPAddress? address) && IPAddress.IsLoopback(address));

    public override string ToString()
    {
        return Host.Contains(':') ? $"[{Host}]:{Port}" : $"{Host}:{Port}";
    }

    /// <summary>Reads <c>host:port</c>, <c>[v6]:port</c> or (with a default port) <c>host</c>; null where it is none of them.</summary>
    public static Endpoint? Parse(string text, int defaultPort = -1)
    {
        int close = text.LastIndexOf(']');
        int colon = text.LastIndexOf(':');
        bool hasPort = colon > close && (close >= 0 || text.IndexOf(':') == colon);
        string host = (hasPort ? text[..colon] : text).Trim('[', ']');
        int port = defaultPort;
        if (hasPort && (!int.TryParse(text[(colon + 1)..], out port) || port is < 0 or > 65535))
        {
            return null;
        }

        bool isName = Uri.CheckHostName(host) != UriHostNameType.Unknown;
        return port >= 0 && isName ? new Endpoint(host, port) : null;
    }
}

/// <summary>A person or program that may connect; the password is kept as PBKDF2 only.</summary>
public sealed record UserSettings(string User, string PasswordHash)
{
    /// <summary>Comes in with a client certificate only.</summary>
    public bool IsWithoutPassword => PasswordHash.Length == 0;
}

/// <summary>A person who may use the pages and REST.</summary>
public sealed record HttpUser(string User, string PasswordHash, Role Role);

/// <summary>The broker: the gateway's own (the default) or another.</summary>
public sealed record MqttSettings
{
    /// <summary>Another broker, or null to run the embedded one.</summary>
    public Endpoint? Broker { get; init; }

    public bool Tls { get; init; }

    public string? User { get; init; }

    public string? Password { get; init; }

    /// <summary>Another broker: PEM file of the authorities that may have signed its certificate; null: those that this machine trusts.</summary>
    public string? Authority { get; init; }

    /// <summary>Another broker: SHA-256 (base 64) of public keys of which it must have one; empty: any.</summary>
    public IReadOnlyList<string> Pins { get; init; } = [];

    /// <summary>PEM file: another broker, the gateway's client certificate; the own one, that of <see cref="TlsListen"/>.</summary>
    public string? Certificate { get; init; }

    /// <summary>PEM file with its private key; null where the certificate's file holds it.</summary>
    public string? Key { get; init; }

    /// <summary>Embedded broker: where it listens with TLS, besides <see cref="Listen"/>; null: nowhere.</summary>
    public Endpoint? TlsListen { get; init; }

    /// <summary>Embedded broker: PEM file of the authorities of client certificates, whose common names are users; null: asks for none.</summary>
    public string? ClientAuthority { get; init; }

    /// <summary>Embedded broker: nobody comes in over TLS without a client certificate.</summary>
    public bool RequireClientCertificate { get; init; }

    /// <summary>5 or 3 (for 3.1.1).</summary>
    public int Protocol { get; init; } = 5;

    /// <summary>Embedded broker: where it listens.</summary>
    public Endpoint Listen { get; init; } = new("127.0.0.1", 1883);

    /// <summary>Embedded broker: who may connect; empty lets anyone on this machine in.</summary>
    public IReadOnlyList<UserSettings> Users { get; init; } = [];

    /// <summary>Readings on their way to the broker at the same time.</summary>
    public int Window { get; init; } = 100;
}

/// <summary>Pages, REST and metrics.</summary>
public sealed record HttpSettings
{
    public Endpoint Listen { get; init; } = new("127.0.0.1", 8080);

    /// <summary>Who may look and command; empty lets anyone on this machine.</summary>
    public IReadOnlyList<HttpUser> Users { get; init; } = [];

    /// <summary>TLS: PEM file with the server's certificate and those between it and the root; null for plain text.</summary>
    public string? Certificate { get; init; }

    /// <summary>PEM file with its private key; null where the certificate's file holds it.</summary>
    public string? Key { get; init; }

    /// <summary>Plain text beyond this machine, for a reverse proxy that speaks TLS.</summary>
    public bool InsecureHttp { get; init; }
}

public sealed record StorageSettings
{
    /// <summary>Readings are kept this long, days.</summary>
    public int KeepDays { get; init; } = 30;

    /// <summary>Readings that wait for the broker at most; above it new ones stay with their nodes.</summary>
    public int OutboxMax { get; init; } = 1_000_000;
}

public sealed record HomeAssistantSettings
{
    public bool Enabled { get; init; } = true;

    /// <summary>Discovery prefix.</summary>
    public string Prefix { get; init; } = "homeassistant";
}
