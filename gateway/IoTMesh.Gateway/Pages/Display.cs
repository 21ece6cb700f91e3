using System.Globalization;
using IoTMesh.Gateway.Live;

namespace IoTMesh.Gateway.Pages;

/// <summary>Numbers, times and states as people read them, always in the invariant culture.</summary>
public static class Display
{
    /// <summary>Readings by interest: the first that a node has is the one on the map.</summary>
    private static readonly string[] _mainNames = ["temperature", "humidity", "pressure", "illuminance", "power", "battery", "load"];

    /// <summary>Order of names in lists: node 2 before node 10.</summary>
    public static IComparer<string> NameOrder { get; } = Comparer<string>.Create(CompareNames);

    /// <summary>The reading that stands for the node; null where it has none.</summary>
    public static ReadingView? MainReading(IReadOnlyList<ReadingView> readings) => readings.OrderBy(Interest).FirstOrDefault();

    /// <summary>Order of a reading by interest, the most interesting first.</summary>
    public static int Interest(ReadingView reading)
    {
        int at = Array.IndexOf(_mainNames, reading.Name);
        return at < 0 ? _mainNames.Length : at;
    }

    /// <summary>Latest value with its unit, for example <c>21.4 °C</c>, <c>1.2 MB</c>, <c>1,024</c>.</summary>
    public static string Value(ReadingView reading) => Joined(Split(reading.Value, reading));

    /// <summary>Any value of this reading with its unit.</summary>
    public static string Value(double value, ReadingView reading) => Joined(Split(value, reading));

    /// <summary>
    /// Number and unit apart. Bytes and long times get a prefix, so that the number stays short; the number of decimals
    /// goes by what the reading has shown so far, so that the width does not jump.
    /// </summary>
    public static (string Number, string Unit) Split(double value, ReadingView reading)
    {
        string unit = reading.Unit;
        if (!double.IsFinite(value))
        {
            return ("?", unit);
        }

        if (unit is "B" or "kB")
        {
            double bytes = unit == "B" ? value : value * 1000;
            return bytes switch
            {
                >= 1e9 => (Short(bytes / 1e9, false), "GB"),
                >= 1e6 => (Short(bytes / 1e6, false), "MB"),
                >= 1e3 => (Short(bytes / 1e3, false), "kB"),
                _ => (Short(bytes, true), "B"),
            };
        }

        if (unit == "s" && Math.Abs(value) >= 120)
        {
            return (Duration((long)(value * 1000)), "");
        }

        return (Short(value, double.IsInteger(value) && reading.History.All(double.IsInteger)), unit);
    }

    /// <summary>For example <c>3 d 4 h</c>, <c>12 min 5 s</c>, <c>8 s</c>.</summary>
    public static string Duration(long ms)
    {
        var span = TimeSpan.FromMilliseconds(Math.Max(ms, 0));
        return span switch
        {
            { TotalDays: >= 1 } => Invariant($"{(int)span.TotalDays} d {span.Hours} h"),
            { TotalHours: >= 1 } => Invariant($"{span.Hours} h {span.Minutes} min"),
            { TotalMinutes: >= 1 } => Invariant($"{span.Minutes} min {span.Seconds} s"),
            _ => Invariant($"{span.Seconds} s"),
        };
    }

    /// <summary>For example <c>now</c>, <c>8 s ago</c>, <c>never</c>.</summary>
    public static string Ago(DateTimeOffset? at, DateTimeOffset now)
    {
        if (at is not DateTimeOffset then)
        {
            return "never";
        }

        TimeSpan past = now - then;
        return past < TimeSpan.FromSeconds(2) ? "now"
            : past < TimeSpan.FromMinutes(2) ? Invariant($"{(int)past.TotalSeconds} s ago")
            : past < TimeSpan.FromHours(2) ? Invariant($"{(int)past.TotalMinutes} min ago")
            : past < TimeSpan.FromDays(2) ? Invariant($"{(int)past.TotalHours} h ago")
            : Invariant($"{(int)past.TotalDays} d ago");
    }

    /// <summary>For example <c>1 hop</c>, <c>3 hops</c>.</summary>
    public static string Count(long count, string thing) => Invariant($"{count:N0} {thing}{(count == 1 ? "" : "s")}");

    /// <summary>Time of day at the gateway, for example <c>16:04:59</c>.</summary>
    public static string TimeOfDay(DateTimeOffset at) => at.ToLocalTime().ToString("HH:mm:ss", CultureInfo.InvariantCulture);

    /// <summary>As the datetime attribute wants it, UTC.</summary>
    public static string MachineTime(DateTimeOffset at) => at.UtcDateTime.ToString("yyyy-MM-ddTHH:mm:ss.fffZ", CultureInfo.InvariantCulture);

    /// <summary>A whole number with thousands marked.</summary>
    public static string Number(long value) => value.ToString("N0", CultureInfo.InvariantCulture);

    /// <summary>The number that ends a name, empty where none does.</summary>
    public static string NumberOf(string name) => NumberApart(name) is { Number: >= 0 and <= 999 } parts ? Number(parts.Number) : "";

    /// <summary>A length or place for SVG, pixels, one decimal.</summary>
    public static string Px(double value) => value.ToString("0.#", CultureInfo.InvariantCulture);

    /// <summary>Bars of a signal meter, 0 (below -90 dBm) to 4 (from -60 dBm).</summary>
    public static int SignalBars(int rssiDbm) => rssiDbm switch { >= -60 => 4, >= -70 => 3, >= -80 => 2, >= -90 => 1, _ => 0 };

    private static int CompareNames(string? a, string? b)
    {
        (string stemA, long numberA) = NumberApart(a ?? "");
        (string stemB, long numberB) = NumberApart(b ?? "");
        int byStem = string.CompareOrdinal(stemA, stemB);
        return byStem != 0 ? byStem : numberA.CompareTo(numberB);
    }

    private static (string Stem, long Number) NumberApart(string name)
    {
        string stem = name.TrimEnd("0123456789".ToCharArray());
        return (stem, long.TryParse(name.AsSpan(stem.Length), CultureInfo.InvariantCulture, out long number) ? number : -1);
    }

    private static string Joined((string Number, string Unit) parts) => parts.Unit.Length == 0 ? parts.Number : $"{parts.Number} {parts.Unit}";

    private static string Short(double value, bool whole)
    {
        string format = whole || Math.Abs(value) >= 10_000 ? "N0" : Math.Abs(value) >= 10 ? "N1" : "0.00";
        return value.ToString(format, CultureInfo.InvariantCulture);
    }

    private static string Invariant(FormattableString text) => FormattableString.Invariant(text);
}
