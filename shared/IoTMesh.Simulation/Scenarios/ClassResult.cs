using System.Text.Json;
using IoTMesh.Core;

namespace IoTMesh.Simulation;

/// <summary>What became of the readings of one forwarding class.</summary>
public sealed record ClassResult(MeshClass Class, long Sent, IReadOnlyList<double> LatenciesMs)
{
    public double DeliveryRatio => Sent == 0 ? 0 : (double)LatenciesMs.Count / Sent;

    public Spread LatencyMs => Spread.Of(LatenciesMs);

    /// <summary>The name that scenarios use.</summary>
    public string Name => Class.ToString().ToLowerInvariant();

    /// <summary>One row for each class that occurs, of all runs together.</summary>
    internal static IReadOnlyList<ClassResult> Of(IEnumerable<ClassResult> rows) =>
    [
        .. rows.GroupBy(row => row.Class).OrderBy(group => group.Key)
            .Select(group => new ClassResult(group.Key, group.Sum(row => row.Sent), [.. group.SelectMany(row => row.LatenciesMs)])),
    ];

    /// <summary>An object <c>classes</c>, where there is more than one class.</summary>
    internal static void Write(Utf8JsonWriter json, IReadOnlyList<ClassResult> classes)
    {
        if (classes.Count < 2)
        {
            return;
        }

        json.WriteStartObject("classes");
        foreach (ClassResult row in classes)
        {
            json.WriteStartObject(row.Name);
            json.WriteNumber("sent", row.Sent);
            json.WriteNumber("delivered", row.LatenciesMs.Count);
            json.WriteNumber("deliveryRatio", Math.Round(row.DeliveryRatio, 6));
            json.WriteNumber("p50Ms", Math.Round(row.LatencyMs.P50, 6));
            json.WriteNumber("p99Ms", Math.Round(row.LatencyMs.P99, 6));
            json.WriteEndObject();
        }

        json.WriteEndObject();
    }

    /// <summary>A line for each class, where there is more than one.</summary>
    internal static IEnumerable<FormattableString> Lines(IReadOnlyList<ClassResult> classes) => classes.Count < 2 ? [] : classes.Select(
        row => (FormattableString)
            $"{row.Name,-14}{row.LatenciesMs.Count} of {row.Sent} ({row.DeliveryRatio:0.000 %}), p99 {row.LatencyMs.P99:0.#} ms");
}
