namespace IoTMesh.Gateway.Settings;

/// <summary>Secrets at rest and the network key.</summary>
public sealed record KeysSettings
{
    /// <summary>File with the key that opens the site's secrets; null for the places that <see cref="Site.SecretBox"/> names.</summary>
    public string? File { get; init; }

    /// <summary>The network key is changed after so many days; 0 for never.</summary>
    public int RotateDays { get; init; } = 30;

    /// <summary>A change of the network key waits so long for devices that do not answer; they join again later.</summary>
    public int PatienceMinutes { get; init; } = 10;

    /// <summary>After a change the gateway still takes frames under the key before for so long; the next change waits until then.</summary>
    public int OverlapSeconds { get; init; } = 60;

    internal static KeysSettings Bind(SettingsTree? tree)
    {
        var defaults = new KeysSettings();
        if (tree is null)
        {
            return defaults;
        }

        var keys = new KeysSettings
        {
            File = tree.OptionalText("file", f => f.Length == 0 ? "must not be empty" : null),
            RotateDays = tree.Number("rotateDays", defaults.RotateDays, 0, 3_650),
            PatienceMinutes = tree.Number("patienceMinutes", defaults.PatienceMinutes, 1, 1_440),
            OverlapSeconds = tree.Number("overlapSeconds", defaults.OverlapSeconds, 5, 3_600),
        };
        tree.RejectUnknown();
        return keys;
    }
}
