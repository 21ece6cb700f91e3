using System.Net;
using System.Security.Cryptography;
using System.Text;

namespace IoTMesh.Mqtt;

/// <summary>Who wants to connect.</summary>
/// <param name="CertificateName">Common name of the client certificate, which is good; null: none was shown.</param>
public readonly record struct MqttLogin(
    string ClientId, string? UserName, ReadOnlyMemory<byte> Password, EndPoint? Remote, string? CertificateName = null);

/// <summary>What a client wants to do with a topic: publish to a name, or (not <paramref name="Publish"/>) subscribe to a filter.</summary>
public readonly record struct MqttAccess(string ClientId, string? UserName, string Topic, bool Publish);

/// <summary>How the broker listens, whom it lets in and what it spends on each client. Immutable; the defaults suit one machine.</summary>
public sealed record MqttBrokerOptions
{
    public IPAddress Address { get; init; } = IPAddress.Loopback;

    /// <summary>0: any free port, see <see cref="MqttBroker.Port"/>.</summary>
    public int Port { get; init; } = 1883;

    /// <summary>A second listener, with TLS.</summary>
    public MqttTlsListener? Tls { get; init; }

    /// <summary>Asked for the common name of each good client certificate; null: all may connect.</summary>
    public Func<string, bool>? AdmitCertificate { get; init; }

    /// <summary>User names and passwords.</summary>
    public IReadOnlyDictionary<string, string> Users { get; init; } = new Dictionary<string, string>();

    /// <summary>Asked for each login that <see cref="Users"/> does not let in.</summary>
    public Func<MqttLogin, bool>? Authenticate { get; init; }

    /// <summary>Asked for each subscription and each published message; null: all may do all, but none may publish below $SYS.</summary>
    public Func<MqttAccess, bool>? Authorize { get; init; }

    /// <summary>Logins without a user name. Null: only while listening on the loopback address and without <see cref="Users"/>.</summary>
    public bool? AllowAnonymous { get; init; }

    /// <summary>Largest packet taken from a client, fixed header included, in bytes.</summary>
    public int PacketBytesMax { get; init; } = 1 << 20;

    public int ClientsMax { get; init; } = 1_000;

    /// <summary>Sessions kept, connected or not; beyond it new clients are refused.</summary>
    public int SessionsMax { get; init; } = 10_000;

    /// <summary>QoS 1 and 2 messages that wait for one client, connected or not; newer ones are dropped and counted.</summary>
    public int QueuedMessagesMax { get; init; } = 10_000;

    public long QueuedBytesMax { get; init; } = 16 << 20;

    /// <summary>Bytes written but not yet taken by one client; beyond it QoS 0 messages to it are dropped and counted, others queued.</summary>
    public int OutputBytesMax { get; init; } = 4 << 20;

    /// <summary>How long a publisher is held back for a subscriber whose queue is more than half full before messages to it are dropped.</summary>
    public TimeSpan HoldPublisherMax { get; init; } = TimeSpan.FromSeconds(2);

    /// <summary>Unacknowledged QoS 1 and 2 messages to one client; a smaller receive maximum of the client's wins.</summary>
    public int SendMaximum { get; init; } = 1_000;

    /// <summary>Unacknowledged QoS 2 messages from one client (5.0: receive maximum).</summary>
    public int ReceiveMaximum { get; init; } = 1_000;

    public int TopicAliasMaximum { get; init; } = 64;

    public int SubscriptionsPerClientMax { get; init; } = 1_000;

    public int TopicLevelsMax { get; init; } = 64;

    public int RetainedMessagesMax { get; init; } = 100_000;

    public long RetainedBytesMax { get; init; } = 256 << 20;

    /// <summary>Longest life of a session without a connection; sessions of 3.1.1 clients always get it.</summary>
    public uint SessionExpirySecondsMax { get; init; } = 24 * 3600;

    /// <summary>Longest time between connecting and a complete CONNECT.</summary>
    public TimeSpan ConnectTimeout { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>How often $SYS topics are refreshed; zero: none.</summary>
    public TimeSpan SysInterval { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>One line for each client that comes, goes or is refused.</summary>
    public Action<string>? Log { get; init; }

    internal bool AnonymousAllowed => AllowAnonymous ?? (IsLoopback && Users.Count == 0 && Authenticate is null);

    /// <summary>Whether only this machine reaches the broker, certificates aside.</summary>
    internal bool IsLoopback =>
        IPAddress.IsLoopback(Address) && (Tls is null || IPAddress.IsLoopback(Tls.Address) || Tls.RequireClientCertificate);

    internal bool Admits(in MqttLogin login)
    {
        if (login.CertificateName is { } name)
        {
            // The certificate says who it is; another name beside it is a mistake or worse.
            return name.Length > 0 && (login.UserName is null || login.UserName == name) && (AdmitCertificate?.Invoke(name) ?? true);
        }

        if (login.UserName is null && AnonymousAllowed)
        {
            return true;
        }

        if (login.UserName is not null && Users.TryGetValue(login.UserName, out string? password))
        {
            return CryptographicOperations.FixedTimeEquals(Encoding.UTF8.GetBytes(password), login.Password.Span);
        }

        // With neither list nor check, a user name is as good as none.
        return Authenticate is not null ? Authenticate(login) : Users.Count == 0 && AnonymousAllowed;
    }
}
