namespace IoTMesh.Gateway.Settings;

/// <summary>
/// Reads the settings file: JSON with comments, strict. Errors name file, line and key. The keys are listed in
/// docs/operations.md and in gateway/deploy/settings.json.
/// </summary>
public static class SettingsFile
{
    /// <summary>Throws <see cref="SettingsException"/> with one line that says what is wrong and where.</summary>
    public static GatewaySettings Read(string file)
    {
        return Bind(SettingsTree.Read(file));
    }

    public static GatewaySettings Parse(string file, ReadOnlySpan<byte> json)
    {
        return Bind(SettingsTree.Parse(file, json));
    }

    private static GatewaySettings Bind(SettingsTree root)
    {
        var defaults = new GatewaySettings();
        var settings = new GatewaySettings
        {
            Site = root.Text("site", defaults.Site, CheckId),
            Gateway = root.Text("gateway", defaults.Gateway, CheckId),
            Address = (ushort)root.Number("address", defaults.Address, 1, 0xFFEF),
            Data = root.OptionalText("data", CheckNotEmpty),
            Air = BindEndpoint(root, "air", defaults.Air),
            OfflineAfterMs = 1000 * root.Number("offlineAfterSeconds", defaults.OfflineAfterMs / 1000, 1, 86_400),
            CommandTimeoutMs = 1000 * root.Number("commandTimeoutSeconds", defaults.CommandTimeoutMs / 1000, 1, 600),
            Mqtt = BindMqtt(root.Section("mqtt"), defaults.Mqtt),
            Http = BindHttp(root.Section("http"), defaults.Http),
            Storage = BindStorage(root.Section("storage"), defaults.Storage),
            HomeAssistant = BindHomeAssistant(root.Section("homeAssistant"), defaults.HomeAssistant),
            Keys = KeysSettings.Bind(root.Section("keys")),
        };
        root.RejectUnknown();
        return settings;
    }

    private static MqttSettings BindMqtt(SettingsTree? tree, MqttSettings defaults)
    {
        if (tree is null)
        {
            return defaults;
        }

        int defaultPort = tree.Flag("tls", defaults.Tls) ? 8883 : 1883;
        string broker = tree.Text(
            "broker", "own", b => b == "own" || Endpoint.Parse(b, defaultPort) is not null ? null : "must be \"own\" or host:port");
        var mqtt = new MqttSettings
        {
            Broker = broker == "own" ? null : Endpoint.Parse(broker, defaultPort),
            Tls = defaultPort == 8883,
            User = tree.OptionalText("user", CheckNotEmpty),
            Password = tree.OptionalText("password"),
            Protocol = tree.Number("protocol", defaults.Protocol, 3, 5),
            Listen = BindEndpoint(tree, "listen", defaults.Listen),
            Users = BindUsers(tree),
            Window = tree.Number("window", defaults.Window, 1, 10_000),
        };
        mqtt = MqttTlsRules.Bind(tree, mqtt, key => BindOptionalEndpoint(tree, key));
        tree.RejectUnknown();
        if (mqtt.Protocol == 4)
        {
            throw tree.Fail("protocol", "must be 5, or 3 for MQTT 3.1.1");
        }

        if (mqtt.Broker is not null && mqtt.Users.Count > 0)
        {
            throw tree.Fail("users", "belongs to the own broker; for another broker give user and password");
        }

        if (mqtt.Broker is null && (mqtt.User is not null || mqtt.Password is not null || mqtt.Tls))
        {
            throw tree.Fail("user", "user, password and tls are for another broker (mqtt.broker); for the own one give users");
        }

        if (mqtt.Broker is null && !mqtt.Listen.IsLoopback && mqtt.Users.Count == 0)
        {
            throw tree.Fail(
                "listen", $"{mqtt.Listen} can be reached from other machines, so mqtt.users is needed (iotmesh hash-password makes the hash)");
        }

        return mqtt;
    }

    private static HttpSettings BindHttp(SettingsTree? tree, HttpSettings defaults)
    {
        if (tree is null)
        {
            return defaults;
        }

        var http = new HttpSettings
        {
            Listen = BindEndpoint(tree, "listen", defaults.Listen),
            Users = BindHttpUsers(tree),
            Certificate = tree.OptionalText("certificate", CheckNotEmpty),
            Key = tree.OptionalText("key", CheckNotEmpty),
            InsecureHttp = tree.Flag("insecureHttp", defaults.InsecureHttp),
        };
        tree.RejectUnknown();
        if (http is { Certificate: null, Key: not null })
        {
            throw tree.Fail("key", "belongs to http.certificate, which is missing");
        }

        if (http is { Certificate: not null, InsecureHttp: true })
        {
            throw tree.Fail("insecureHttp", "is of no use with http.certificate; leave one of them out");
        }

        if (http is { Listen.IsLoopback: false, Certificate: null, InsecureHttp: false })
        {
            throw tree.Fail(
                "listen",
                $"{http.Listen} can be reached from other machines, so http.certificate is needed "
                + "(or \"insecureHttp\": true behind a proxy with TLS)");
        }

        return http;
    }

    private static StorageSettings BindStorage(SettingsTree? tree, StorageSettings defaults)
    {
        if (tree is null)
        {
            return defaults;
        }

        var storage = new StorageSettings
        {
            KeepDays = tree.Number("keepDays", defaults.KeepDays, 1, 36_500),
            OutboxMax = tree.Number("outboxMax", defaults.OutboxMax, 100, 100_000_000),
        };
        tree.RejectUnknown();
        return storage;
    }

    private static HomeAssistantSettings BindHomeAssistant(SettingsTree? tree, HomeAssistantSettings defaults)
    {
        if (tree is null)
        {
            return defaults;
        }

        var homeAssistant = new HomeAssistantSettings
        {
            Enabled = tree.Flag("enabled", defaults.Enabled),
            Prefix = tree.Text(
                "prefix", defaults.Prefix, p => p.Length == 0 || p.IndexOfAny(['+', '#', '\0']) >= 0 ? "must be a topic without + and #" : null),
        };
        tree.RejectUnknown();
        return homeAssistant;
    }

    private static List<UserSettings> BindUsers(SettingsTree tree)
    {
        var users = new List<UserSettings>();
        foreach (SettingsTree user in tree.Sections("users"))
        {
            users.Add(new UserSettings(Required(user, "user", CheckNotEmpty), user.OptionalText("passwordHash", Password.CheckHash) ?? ""));
            user.RejectUnknown();
        }

        return users;
    }

    private static List<HttpUser> BindHttpUsers(SettingsTree tree)
    {
        var users = new List<HttpUser>();
        foreach (SettingsTree user in tree.Sections("users"))
        {
            string name = Required(user, "user", CheckNotEmpty);
            string hash = Required(user, "passwordHash", Password.CheckHash);
            Role role = RoleNames.Parse(Required(user, "role", RoleNames.Check, $" ({RoleNames.All})"))!.Value;
            user.RejectUnknown();
            if (users.Any(u => u.User == name))
            {
                throw user.Fail("user", $"{name} is given twice");
            }

            users.Add(new HttpUser(name, hash, role));
        }

        return users;
    }

    private static string Required(SettingsTree tree, string key, Func<string, string?> check, string hint = "")
    {
        return tree.OptionalText(key, check) ?? throw tree.Fail(key, "is missing" + hint);
    }

    private static Endpoint BindEndpoint(SettingsTree tree, string key, Endpoint fallback)
    {
        string text = tree.Text(
            key, fallback.ToString(), t => Endpoint.Parse(t) is null ? "must be host:port, for example 127.0.0.1:" + fallback.Port : null);
        return Endpoint.Parse(text)!;
    }

    private static Endpoint? BindOptionalEndpoint(SettingsTree tree, string key)
    {
        string? text = tree.OptionalText(key, t => Endpoint.Parse(t) is null ? "must be host:port, for example 0.0.0.0:8883" : null);
        return text is null ? null : Endpoint.Parse(text);
    }

    private static string? CheckNotEmpty(string text)
    {
        return text.Length == 0 ? "must not be empty" : null;
    }

    /// <summary>Ids in topics; null when good, else what is wrong.</summary>
    public static string? CheckId(string id)
    {
        bool isGood = id.Length is > 0 and <= 48 && id.All(c => c is (>= 'a' and <= 'z') or (>= '0' and <= '9') or '-');
        return isGood ? null : $"must be 1 to 48 characters a-z, 0-9 and -, is \"{id}\"";
    }
}
