using System;
using IoTMesh.Core;

namespace IoTMesh.Node;

/// <summary>
/// Temperature, humidity and pressure of a made-up place: a daily course, slow weather and a little noise, different for each
/// node and the same for each run of one node. For boards without sensors and for virtual nodes.
/// </summary>
public sealed class ModelledWeather : ISensor
{
    private const double DayMs = 86_400_000;
    private const double FrontMs = 5 * 3_600_000.0;
    private const double RippleMs = 240_000;
    private readonly double _placeCelsius;
    private readonly double _phase;
    private uint _random;

    /// <param name="seed">Not 0; the node's address.</param>
    public ModelledWeather(uint seed)
    {
        _random = (seed * 2654435761u) | 1u;
        _placeCelsius = 18 + (6 * NextShare());
        _phase = 2 * Math.PI * NextShare();
    }

    public void Sample(long nowMs, ReadingWriter writer)
    {
        double day = Math.Sin((2 * Math.PI * (nowMs / DayMs)) + _phase);
        double front = Math.Sin((2 * Math.PI * (nowMs / FrontMs)) + _phase);
        double ripple = Math.Sin((2 * Math.PI * (nowMs / RippleMs)) + _phase);
        double celsius = _placeCelsius + (4 * day) + (0.6 * ripple) + (0.1 * (NextShare() - 0.5));
        double humidity = 52 - (9 * day) - (1.5 * ripple) + (0.5 * (NextShare() - 0.5));
        double hectopascal = 1013 + (7 * front) + (0.1 * (NextShare() - 0.5));
        writer.Add(BthomeTable.Temperature, (long)Math.Round(celsius * 100));
        writer.Add(BthomeTable.Humidity, (long)Math.Round(humidity * 100));
        writer.Add(BthomeTable.Pressure, (long)Math.Round(hectopascal * 100));
    }

    // Marsaglia's xorshift: System.Random ignores its seed on the device.
    private double NextShare()
    {
        _random ^= _random << 13;
        _random ^= _random >> 17;
        _random ^= _random << 5;
        return (int)(_random >> 8) / 16_777_216.0;
    }
}
