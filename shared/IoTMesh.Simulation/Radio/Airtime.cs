namespace IoTMesh.Simulation;

/// <summary>How long a frame occupies the radio.</summary>
/// <param name="BitsPerSecond">Of the frame's bytes.</param>
/// <param name="PreambleUs">Preamble, headers of the radio itself and its gaps, microseconds.</param>
public readonly record struct Airtime(int BitsPerSecond, int PreambleUs)
{
    /// <summary>ESP-NOW at 1 Mbit/s: long 802.11b preamble 192 us, and 43 B of 802.11 and vendor headers.</summary>
    public static Airtime EspNow { get; } = new(1_000_000, 192 + (43 * 8));

    /// <summary>Microseconds for a frame of this many bytes.</summary>
    public long Of(int bytes) => PreambleUs + (bytes * 8L * 1_000_000 / BitsPerSecond);
}
