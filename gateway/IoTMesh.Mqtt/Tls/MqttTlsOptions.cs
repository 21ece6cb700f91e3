using System.Net;

namespace IoTMesh.Mqtt;

/// <summary>
/// How a client checks its broker and shows who it is, over TLS 1.2 or 1.3. The host name and the time of validity are always checked. The
/// files are read at each connection, so that renewed ones are taken.
/// </summary>
public sealed record MqttTlsOptions
{
    /// <summary>PEM file of the authorities that may have signed the broker's certificate; null: those that this machine trusts.</summary>
    public string? AuthorityFile { get; init; }

    /// <summary>PEM file of the client's certificate, for brokers that want one.</summary>
    public string? CertificateFile { get; init; }

    /// <summary>PEM file of its private key; null where the certificate's file holds it.</summary>
    public string? KeyFile { get; init; }

    /// <summary>
    /// Where not empty, the broker's public key must, besides all else, be one of these: the SHA-256 of its SubjectPublicKeyInfo in base 64
    /// (RFC 7469 section 2.4).
    /// </summary>
    public IReadOnlyList<string> Pins { get; init; } = [];

    /// <summary>The name that the broker's certificate must have; null: the host of the connection.</summary>
    public string? HostName { get; init; }
}

/// <summary>A listener of the broker with TLS 1.2 or 1.3, beside the one without.</summary>
public sealed record MqttTlsListener
{
    public IPAddress Address { get; init; } = IPAddress.Loopback;

    /// <summary>0: any free port, see <see cref="MqttBroker.TlsPort"/>.</summary>
    public int Port { get; init; } = 8883;

    public required PemCertificate Certificate { get; init; }

    /// <summary>
    /// PEM file of the authorities whose client certificates are taken; null: none is asked for. The common name of a certificate is its
    /// client's user name, and needs no password.
    /// </summary>
    public string? ClientAuthorityFile { get; init; }

    /// <summary>Nobody gets in without a client certificate.</summary>
    public bool RequireClientCertificate { get; init; }
}
