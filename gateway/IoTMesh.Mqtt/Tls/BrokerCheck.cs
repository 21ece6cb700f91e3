using System.Globalization;
using System.Net.Security;
using System.Security.Authentication;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace IoTMesh.Mqtt.Tls;

/// <summary>One handshake of a client: checks the broker's certificate and keeps, in words, why it was refused.</summary>
internal sealed class BrokerCheck(MqttTlsOptions options, string host)
{
    private const string ServerUse = "1.3.6.1.5.5.7.3.1";

    private string? _problem;

    private string Host => options.HostName ?? host;

    /// <summary>Puts TLS on a connection. Throws <see cref="MqttException"/> with the cause.</summary>
    internal async Task<Stream> OpenAsync(Stream stream, CancellationToken cancellationToken)
    {
        var tls = new SslStream(stream);
        try
        {
            await tls.AuthenticateAsClientAsync(CreateOptions(), cancellationToken).ConfigureAwait(false);
            return tls;
        }
        catch (Exception e) when (e is AuthenticationException or IOException)
        {
            await tls.DisposeAsync().ConfigureAwait(false);
            string reason = _problem ?? $"TLS failed: {(e.InnerException ?? e).Message.TrimEnd('.')}{Hint(options)}";
            throw new MqttException(reason, inner: e);
        }
    }

    /// <summary>What may be behind a broker that hangs up during or right after the handshake.</summary>
    internal static string Hint(MqttTlsOptions? options)
    {
        return options?.CertificateFile is { } file
            ? $" (perhaps it does not take the client certificate {file})"
            : " (perhaps it wants a client certificate, and none is given)";
    }

    /// <summary>A chain policy that trusts only the authorities of that file. Throws <see cref="MqttException"/> that names it.</summary>
    internal static X509ChainPolicy PolicyOf(string? authorityFile, string use)
    {
        var policy = new X509ChainPolicy { RevocationMode = X509RevocationMode.NoCheck };
        policy.ApplicationPolicy.Add(new Oid(use));
        if (authorityFile is not null)
        {
            policy.TrustMode = X509ChainTrustMode.CustomRootTrust;
            try
            {
                policy.CustomTrustStore.ImportFromPemFile(authorityFile);
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException or CryptographicException)
            {
                throw new MqttException($"The authorities in {authorityFile} cannot be read: {e.Message}", inner: e);
            }

            if (policy.CustomTrustStore.Count == 0)
            {
                throw new MqttException($"There is no certificate in {authorityFile}");
            }
        }

        return policy;
    }

    private SslClientAuthenticationOptions CreateOptions()
    {
        return new SslClientAuthenticationOptions
        {
            TargetHost = Host,
            EnabledSslProtocols = SslProtocols.Tls12 | SslProtocols.Tls13,
            CertificateChainPolicy = PolicyOf(options.AuthorityFile, ServerUse),
            ClientCertificateContext = options.CertificateFile is null ? null : new PemCertificate(options.CertificateFile, options.KeyFile).Context,
            RemoteCertificateValidationCallback = (_, certificate, chain, errors) =>
            {
                using X509Certificate2? shown = certificate is null ? null : X509CertificateLoader.LoadCertificate(certificate.GetRawCertData());
                _problem = shown is null ? "it shows no certificate" : Find(shown, chain, errors);
                return _problem is null;
            },
        };
    }

    private string? Find(X509Certificate2 shown, X509Chain? chain, SslPolicyErrors errors)
    {
        DateTime now = DateTime.Now;
        if (now > shown.NotAfter)
        {
            return $"its certificate expired on {Day(shown.NotAfter)}";
        }

        if (now < shown.NotBefore)
        {
            return $"its certificate is good only from {Day(shown.NotBefore)} on (is the clock of this machine right?)";
        }

        if (errors.HasFlag(SslPolicyErrors.RemoteCertificateChainErrors))
        {
            string authority = options.AuthorityFile is { } file ? $"an authority in {file}" : "an authority that this machine trusts";
            X509ChainStatusFlags flags = chain?.ChainStatus.Aggregate(X509ChainStatusFlags.NoError, (all, s) => all | s.Status) ?? 0;
            return (flags & (X509ChainStatusFlags.UntrustedRoot | X509ChainStatusFlags.PartialChain)) != 0
                ? $"its certificate is not signed by {authority} (but by {shown.Issuer})"
                : $"its certificate cannot be used: {flags}";
        }

        if (errors.HasFlag(SslPolicyErrors.RemoteCertificateNameMismatch))
        {
            return $"its certificate is for {Names(shown)}, not for {Host}";
        }

        string pin = Convert.ToBase64String(SHA256.HashData(shown.PublicKey.ExportSubjectPublicKeyInfo()));
        return options.Pins.Count == 0 || options.Pins.Contains(pin) ? null : $"its key is not one of the pinned ones (its pin is {pin})";
    }

    private static string Names(X509Certificate2 certificate)
    {
        X509SubjectAlternativeNameExtension? names = certificate.Extensions.OfType<X509SubjectAlternativeNameExtension>().FirstOrDefault();
        string[] all = names is null ? [] : [.. names.EnumerateDnsNames(), .. names.EnumerateIPAddresses().Select(a => a.ToString())];
        return all.Length > 0 ? string.Join(", ", all) : certificate.Subject;
    }

    private static string Day(DateTime time) => time.ToUniversalTime().ToString("yyyy-MM-dd", CultureInfo.InvariantCulture);
}
