using System.Globalization;

namespace IoTMesh.Simulation;

/// <summary>
/// What a radio adds to a mesh frame, in bytes and in time, and when it may send: IEEE 802.11-2016 sections 15 to 18. ESP-NOW frames go
/// out as vendor action frames to the broadcast address at 1 Mbit/s, so nothing acknowledges them below the mesh. Wi-Fi carries them in
/// UDP over IPv4 with WPA2: those for one receiver at the stated rate with an acknowledgement and retries of the radio's own, those for
/// all at 1 Mbit/s without.
/// </summary>
public sealed record Phy
{
    // Long preamble and header of DSSS, and what OFDM has instead, with its signal extension at 2.4 GHz.
    private const int DsssPreambleUs = 192;
    private const int OfdmPreambleUs = 20 + 6;
    private const int OfdmSymbolUs = 4;
    private const int OfdmServiceAndTailBits = 16 + 6;
    private const int AckBytes = 14;

    // MAC header 24, category 1, OUI 3, random 4, element header 2, OUI 3, type 1, version 1, FCS 4.
    private const int EspNowOverheadBytes = 43;

    // MAC header with QoS 26, CCMP 16, LLC and SNAP 8, IPv4 20, UDP 8, FCS 4.
    private const int WifiOverheadBytes = 82;

    // Typical of an ESP32 at the rates its datasheet gives (1, 11, 6, 54), between them by the steps of the standard.
    private static readonly (double Mbps, double SensitivityDbm)[] _rates =
    [
        (1, -98), (2, -95), (5.5, -92), (11, -89), (6, -93), (9, -92), (12, -90), (18, -88), (24, -85), (36, -82), (48, -78), (54, -76),
    ];

    private Phy(string name, double rateMbps, int overheadBytes, bool isAcknowledged)
    {
        Name = name;
        RateMbps = rateMbps;
        OverheadBytes = overheadBytes;
        IsAcknowledged = isAcknowledged;
    }

    public static Phy EspNow { get; } = new("espnow", 1, EspNowOverheadBytes, isAcknowledged: false);

    /// <summary>UDP over Wi-Fi at 6 Mbit/s.</summary>
    public static Phy Wifi { get; } = new("wifi", 6, WifiOverheadBytes, isAcknowledged: true);

    public string Name { get; }

    /// <summary>Of frames for one receiver.</summary>
    public double RateMbps { get; }

    /// <summary>Bytes around a mesh frame, without preamble and acknowledgement.</summary>
    public int OverheadBytes { get; }

    /// <summary>Whether the radio itself acknowledges and repeats frames for one receiver.</summary>
    public bool IsAcknowledged { get; }

    /// <summary>Tries of the radio's own for a frame for one receiver.</summary>
    internal int TriesMax => IsAcknowledged ? 8 : 1;

    // The slot and what follows from it are the long ones as soon as 1 Mbit/s is in use, which it always is.
    internal static int SlotUs => 20;

    internal static int SifsUs => 10;

    internal static int DifsUs => SifsUs + (2 * SlotUs);

    /// <summary>A transmission less than this old is not sensed yet.</summary>
    internal static int SenseUs => 15;

    internal static int ContentionMin => 31;

    internal static int ContentionMax => 1023;

    /// <summary>Rate of a frame, Mbit/s.</summary>
    internal double RateOf(bool isBroadcast) => isBroadcast ? 1 : RateMbps;

    /// <summary>Airtime of one transmission of a mesh frame, without gaps and acknowledgement, us.</summary>
    public long FrameUs(int meshBytes, bool isBroadcast) => DurationUs(meshBytes + OverheadBytes, RateOf(isBroadcast));

    /// <summary>Airtime of the radio's own acknowledgement, at the highest mandatory rate that is not above the frame's, us.</summary>
    internal long AckUs => DurationUs(AckBytes, IsOfdm(RateMbps) ? (RateMbps >= 24 ? 24 : RateMbps >= 12 ? 12 : 6) : 1);

    internal static int AckLength => AckBytes;

    /// <summary>For the simple model: as if all frames were for one receiver and got through at once, acknowledgement included.</summary>
    internal Airtime ToAirtime()
    {
        int fixedUs = IsOfdm(RateMbps) ? OfdmPreambleUs : DsssPreambleUs;
        double overheadUs = OverheadBytes * 8 / RateMbps;
        long ackUs = IsAcknowledged ? SifsUs + AckUs : 0;
        return new Airtime((int)(RateMbps * 1e6), (int)(fixedUs + overheadUs + ackUs));
    }

    /// <summary>Level at which 8 % of 1,024-byte frames are lost, dBm.</summary>
    internal static double SensitivityDbm(double rateMbps) => Array.Find(_rates, rate => rate.Mbps == rateMbps).SensitivityDbm;

    internal static Phy Read(JsonInput? name, JsonInput? rateMbps)
    {
        Phy phy = (name?.AsString() ?? EspNow.Name) switch
        {
            "espnow" => EspNow,
            "wifi" => Wifi,
            string other => throw name!.Error($"expected one of espnow, wifi, found '{other}'"),
        };
        if (rateMbps is null)
        {
            return phy;
        }

        double rate = rateMbps.AsDouble(1, 54);
        if (phy == EspNow && rate != 1)
        {
            throw rateMbps.Error("ESP-NOW sends at 1 Mbit/s; a rate can be chosen for wifi");
        }

        if (!_rates.Any(known => known.Mbps == rate))
        {
            string known = string.Join(", ", _rates.Select(entry => entry.Mbps.ToString(CultureInfo.InvariantCulture)));
            throw rateMbps.Error($"expected one of {known}");
        }

        return new Phy(phy.Name, rate, phy.OverheadBytes, phy.IsAcknowledged);
    }

    private static bool IsOfdm(double rateMbps) => rateMbps is not (1 or 2 or 5.5 or 11);

    private static long DurationUs(int bytes, double rateMbps)
    {
        if (!IsOfdm(rateMbps))
        {
            return DsssPreambleUs + (long)Math.Ceiling(bytes * 8 / rateMbps);
        }

        // Bits of a symbol: rate times symbol length.
        long symbols = (long)Math.Ceiling((OfdmServiceAndTailBits + (bytes * 8)) / (rateMbps * OfdmSymbolUs));
        return OfdmPreambleUs + (symbols * OfdmSymbolUs);
    }
}
