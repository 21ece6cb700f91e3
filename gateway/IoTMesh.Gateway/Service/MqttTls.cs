using IoTMesh.Gateway.Http;
using IoTMesh.Gateway.Live;
using IoTMesh.Gateway.Settings;
using IoTMesh.Mqtt;

namespace IoTMesh.Gateway.Service;

/// <summary>From the settings of MQTT to what the client and the embedded broker want for TLS.</summary>
internal static class MqttTls
{
    internal static MqttTlsOptions ForClient(MqttSettings mqtt)
    {
        return new MqttTlsOptions
        {
            AuthorityFile = mqtt.Authority,
            CertificateFile = mqtt.Certificate,
            KeyFile = mqtt.Key,
            Pins = mqtt.Pins,
        };
    }

    /// <summary>Why the embedded broker does not start, for the one who wrote the settings.</summary>
    internal static Exception Explain(MqttSettings mqtt, MqttException e)
    {
        if (e.InnerException is not IOException || e.ReasonCode != (byte)MqttReason.ServerUnavailable)
        {
            return new SettingsException("mqtt.clientAuthority: " + e.Message);
        }

        bool isTls = mqtt.TlsListen is { } tls && tls.Port != 0 && e.Message.Contains($":{tls.Port}:", StringComparison.Ordinal);
        Settings.Endpoint taken = isTls ? mqtt.TlsListen! : mqtt.Listen;
        return new PortTakenException($"MQTT port {taken.Port} on {taken.Host} is taken by another program");
    }

    /// <summary>Null without <c>mqtt.tlsListen</c>. Throws <see cref="SettingsException"/> for a certificate that cannot be used.</summary>
    internal static MqttTlsListener? ForBroker(MqttSettings mqtt, LiveMesh live)
    {
        if (mqtt.TlsListen is not { } listen)
        {
            return null;
        }

        try
        {
            return new MqttTlsListener
            {
                Address = HttpHost.AddressesOf(listen.Host, listen.Port)[0],
                Port = listen.Port,
                Certificate = new PemCertificate(mqtt.Certificate!, mqtt.Key)
                {
                    Changed = (isGood, text) => live.AddEvent(isGood ? "info" : "error", "mqtt", text),
                },
                ClientAuthorityFile = mqtt.ClientAuthority,
                RequireClientCertificate = mqtt.RequireClientCertificate,
            };
        }
        catch (MqttException e)
        {
            throw new SettingsException("mqtt.certificate: " + e.Message);
        }
    }
}
