namespace IoTMesh.Gateway.Settings;

/// <summary>The keys of TLS in the section <c>mqtt</c>: reads them, and refuses those that do not go together.</summary>
internal static class MqttTlsRules
{
    internal static MqttSettings Bind(SettingsTree tree, MqttSettings mqtt, Func<string, Endpoint?> endpointOf)
    {
        mqtt = mqtt with
        {
            Authority = tree.OptionalText("authority", CheckFile),
            Pins = [.. (tree.OptionalText("pins", CheckPins) ?? "").Split(' ', StringSplitOptions.RemoveEmptyEntries)],
            Certificate = tree.OptionalText("certificate", CheckFile),
            Key = tree.OptionalText("key", CheckFile),
            TlsListen = endpointOf("tlsListen"),
            ClientAuthority = tree.OptionalText("clientAuthority", CheckFile),
            RequireClientCertificate = tree.Flag("requireClientCertificate", false),
        };
        (string Key, bool IsWrong, string Problem)[] rules =
        [
            ("authority", mqtt.Authority is not null && !mqtt.Tls, "needs another broker (mqtt.broker) with \"tls\": true"),
            ("pins", mqtt.Pins.Count > 0 && !mqtt.Tls, "needs another broker (mqtt.broker) with \"tls\": true"),
            ("certificate", mqtt.Certificate is not null && !mqtt.Tls && mqtt.TlsListen is null, "needs mqtt.tlsListen, or another broker with TLS"),
            ("key", mqtt is { Key: not null, Certificate: null }, "belongs to mqtt.certificate, which is missing"),
            ("tlsListen", mqtt is { TlsListen: not null, Certificate: null }, "needs mqtt.certificate"),
            ("tlsListen", mqtt is { TlsListen: not null, Broker: not null }, "belongs to the own broker"),
            ("clientAuthority", mqtt is { ClientAuthority: not null, TlsListen: null }, "needs mqtt.tlsListen"),
            ("requireClientCertificate", mqtt is { RequireClientCertificate: true, ClientAuthority: null }, "needs mqtt.clientAuthority"),
            (
                "users", mqtt.Users.Any(u => u.IsWithoutPassword) && mqtt.ClientAuthority is null,
                "one has no passwordHash: it can come in with a client certificate only, and there is no mqtt.clientAuthority"
            ),
            (
                "tlsListen", mqtt.TlsListen is { IsLoopback: false } && mqtt.Users.Count == 0,
                $"{mqtt.TlsListen} can be reached from other machines, so mqtt.users is needed (with certificates a name is enough)"
            ),
        ];
        foreach ((string key, bool isWrong, string problem) in rules)
        {
            if (isWrong)
            {
                throw tree.Fail(key, problem);
            }
        }

        return mqtt;
    }

    private static string? CheckFile(string file)
    {
        return file.Length == 0 ? "must not be empty" : null;
    }

    private static string? CheckPins(string pins)
    {
        bool isGood = pins.Split(' ', StringSplitOptions.RemoveEmptyEntries)
            .All(p => p.Length == 44 && Convert.TryFromBase64String(p, new byte[33], out int length) && length == 32);
        return isGood ? null : "must be SHA-256 hashes of public keys in base 64, with blanks between them";
    }
}
