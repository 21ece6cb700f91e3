namespace IoTMesh.Simulation;

/// <summary>What a node's radio did, seconds. Listening and receiving are one to it.</summary>
/// <param name="SendSeconds">Part of <paramref name="AwakeSeconds"/>.</param>
public readonly record struct RadioUse(double SendSeconds, double AwakeSeconds, double AsleepSeconds);

/// <summary>
/// Energy from times and currents. The currents are those of the ESP32 data sheet at 3.3 V: 802.11b at 1 Mbit/s and +19.5 dBm 240 mA,
/// receiving 95 to 100 mA, light sleep 0.8 mA. Sensors, the regulator and the flash are not in it.
/// </summary>
public static class RadioEnergy
{
    public const double SupplyVolts = 3.3;
    public const double SendAmperes = 0.240;
    public const double ListenAmperes = 0.100;
    public const double SleepAmperes = 0.0008;

    /// <summary>Of sending alone, J.</summary>
    public static double SendingJoules(in RadioUse use) => SupplyVolts * SendAmperes * use.SendSeconds;

    /// <summary>U (I_send t_send + I_listen (t_awake - t_send) + I_sleep t_asleep), J.</summary>
    public static double TotalJoules(in RadioUse use) => SendingJoules(use)
        + (SupplyVolts * ((ListenAmperes * (use.AwakeSeconds - use.SendSeconds)) + (SleepAmperes * use.AsleepSeconds)));
}
