using System.Net.Security;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Server.Kestrel.Https;

namespace IoTMesh.Mqtt.Tls;

/// <summary>The broker's side of TLS: its own certificate, and those of clients.</summary>
internal static class ClientCheck
{
    private const string ClientUse = "1.3.6.1.5.5.7.3.2";
    private const string CommonName = "2.5.4.3";

    internal static TlsHandshakeCallbackOptions CreateOptions(MqttTlsListener listener)
    {
        if (listener.ClientAuthorityFile is not null)
        {
            BrokerCheck.PolicyOf(listener.ClientAuthorityFile, ClientUse); // a file that cannot be read is told at the start
        }

        return new TlsHandshakeCallbackOptions { OnConnection = _ => ValueTask.FromResult(CreateServerOptions(listener)) };
    }

    /// <summary>The user name of a client's certificate: its common name. Null: it has shown none; empty: one without a common name.</summary>
    internal static string? NameOf(IFeatureCollection features)
    {
        if (features.Get<ITlsConnectionFeature>()?.ClientCertificate is not { } certificate)
        {
            return null;
        }

        string?[] names =
        [
            .. certificate.SubjectName.EnumerateRelativeDistinguishedNames()
                .Where(n => !n.HasMultipleElements && n.GetSingleElementType().Value == CommonName).Select(n => n.GetSingleElementValue()),
        ];
        return names.Length == 1 ? names[0] ?? "" : "";
    }

    private static SslServerAuthenticationOptions CreateServerOptions(MqttTlsListener listener)
    {
        var options = new SslServerAuthenticationOptions
        {
            ServerCertificateContext = listener.Certificate.Context,
            EnabledSslProtocols = SslProtocols.Tls12 | SslProtocols.Tls13,
        };
        if (listener.ClientAuthorityFile is not null)
        {
            options.ClientCertificateRequired = true; // asks; whether none is enough the next lines say
            options.CertificateChainPolicy = BrokerCheck.PolicyOf(listener.ClientAuthorityFile, ClientUse);
            options.RemoteCertificateValidationCallback = (_, certificate, _, errors) =>
                certificate is null ? !listener.RequireClientCertificate : errors == SslPolicyErrors.None;
        }

        return options;
    }
}
