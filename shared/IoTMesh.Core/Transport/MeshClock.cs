namespace IoTMesh.Core;

/// <summary>
/// UTC by the local clock: a Kalman filter of two states, offset and rate, over the samples that beacons bring (protocol.md
/// 5.8). One sample moves it by a bounded amount; a sample far off counts only once three words of gateways in a row agree with
/// it. What applications see never steps for corrections below a second: it runs up to 0.5 % fast or slow until it is there.
/// </summary>
internal sealed class MeshClock
{
    /// <summary>Units of a millisecond on air.</summary>
    internal const int UnitsPerMs = 16;

    // Quartz clocks are off by up to 40 ppm or so; more than 300 is a fault and not followed.
    private const double RateSigma = 40e-6;
    private const double RateMax = 300e-6;

    // Temperature: the rate walks 1 ppm in 10 minutes; the phase 0.05 ms in a second, for what the rate does not explain.
    private const double RateNoisePerMs = 1.7e-18;
    private const double PhaseNoisePerMs = 2.5e-6;
    private const double SlewPerMs = 0.005;
    private const int SlewMaxMs = 1_000;
    private const int OutlierMinMs = 10;
    private const int OutlierSigmas = 5;
    private const int OutliersUntilBelieved = 3;
    private const int OutliersAgreeMs = 30;
    private const int ErrorMaxMs = 60_000;

    private long _refMs;
    private long _utcMs;
    private double _phaseMs;
    private double _rate;
    private double _slewMs;
    private double _p00;
    private double _p01;
    private double _p11;
    private long _outlierOffsetMs;
    private ushort _outlierWord;
    private byte _outliers;

    internal bool IsKnown;

    /// <summary>When a gateway said what this clock rests on, in units of 4 s.</summary>
    internal ushort Word;

    /// <summary>Links between here and that gateway.</summary>
    internal byte Hops;

    /// <summary>Samples that were far off and not followed.</summary>
    internal int Refused;

    /// <summary>The best estimate in 1/16 ms, for other nodes: without the smoothing for applications.</summary>
    /// <param name="aheadUs">That long after <paramref name="nowMs"/>.</param>
    internal long Estimate16(long nowMs, int aheadUs)
    {
        long elapsedMs = nowMs - _refMs;
        double fraction = _phaseMs + (elapsedMs * _rate) + (aheadUs / 1000.0);
        return ((_utcMs + elapsedMs) * UnitsPerMs) + (long)(fraction * UnitsPerMs);
    }

    /// <summary>UTC for applications, ms since 1970.</summary>
    internal long UtcMs(long nowMs)
    {
        long elapsedMs = nowMs - _refMs;
        return _utcMs + elapsedMs + (long)(_phaseMs + (elapsedMs * _rate) + SlewAt(elapsedMs));
    }

    /// <summary>Twice the standard error, ms, and what smoothing holds back.</summary>
    internal int ErrorMs(long nowMs)
    {
        double slewMs = SlewAt(nowMs - _refMs);
        double errorMs = (2 * Sigma16(nowMs) / (double)UnitsPerMs) + (slewMs < 0 ? -slewMs : slewMs) + 1;
        return errorMs > ErrorMaxMs ? ErrorMaxMs : (int)errorMs;
    }

    /// <summary>The standard error in 1/16 ms, at most 65535.</summary>
    internal int Sigma16(long nowMs)
    {
        double dt = nowMs - _refMs;
        double variance = _p00 + (2 * dt * _p01) + (dt * dt * _p11) + (PhaseNoisePerMs * dt);
        return Root(variance * UnitsPerMs * UnitsPerMs);
    }

    /// <summary>Takes in a sample: UTC was <paramref name="utc16"/> / 16 ms when the local clock showed <paramref name="nowMs"/>.</summary>
    /// <param name="sigma16">Its standard error, 1/16 ms.</param>
    /// <param name="word">Of the gateway whose time it is.</param>
    /// <returns>False where it is far off and was not followed.</returns>
    internal bool Observe(long nowMs, long utc16, int sigma16, ushort word, byte hops)
    {
        double sigmaMs = sigma16 / (double)UnitsPerMs;
        if (!IsKnown)
        {
            Begin(nowMs, utc16, sigmaMs);
            _p11 = RateSigma * RateSigma;
            _rate = 0;
            _slewMs = 0;
        }
        else
        {
            Predict(nowMs);
            long estimate16 = Estimate16(nowMs, 0);
            double off = (utc16 - estimate16) / (double)UnitsPerMs;
            double variance = _p00 + (sigmaMs * sigmaMs);
            double bound = OutlierSigmas * OutlierSigmas * variance;
            bound = bound < OutlierMinMs * OutlierMinMs ? OutlierMinMs * OutlierMinMs : bound;
            if (off * off <= bound)
            {
                Correct(off, variance);
            }
            else if (!IsBelieved((utc16 / UnitsPerMs) - nowMs, word))
            {
                Refused++;
                return false;
            }
            else
            {
                // The rate stays: it is the local clock's own, whatever the source says of the time.
                Begin(nowMs, utc16, sigmaMs);
                _slewMs = off > SlewMaxMs || off < -SlewMaxMs ? 0 : _slewMs - off;
            }
        }

        _outliers = 0;
        IsKnown = true;
        Word = word;
        Hops = hops;
        return true;
    }

    private void Begin(long nowMs, long utc16, double sigmaMs)
    {
        _refMs = nowMs;
        _utcMs = utc16 / UnitsPerMs;
        _phaseMs = (utc16 - (_utcMs * UnitsPerMs)) / (double)UnitsPerMs;
        _p00 = sigmaMs * sigmaMs;
        _p01 = 0;
    }

    private void Predict(long nowMs)
    {
        long elapsedMs = nowMs - _refMs;
        double dt = elapsedMs;
        _slewMs = SlewAt(elapsedMs);
        _phaseMs += dt * _rate;
        _p00 += (2 * dt * _p01) + (dt * dt * _p11) + (PhaseNoisePerMs * dt);
        _p01 += dt * _p11;
        _p11 += RateNoisePerMs * dt;
        _refMs = nowMs;
        _utcMs += elapsedMs;
        long whole = (long)_phaseMs;
        _utcMs += whole;
        _phaseMs -= whole;
    }

    private void Correct(double offMs, double variance)
    {
        double gain = _p00 / variance;
        double rateGain = _p01 / variance;
        _phaseMs += gain * offMs;
        _slewMs -= gain * offMs;
        _rate += rateGain * offMs;
        _rate = _rate > RateMax ? RateMax : _rate < -RateMax ? -RateMax : _rate;
        _p11 -= rateGain * _p01;
        _p01 *= 1 - gain;
        _p00 *= 1 - gain;
    }

    /// <summary>True for the third word in a row that says much the same other time.</summary>
    private bool IsBelieved(long offsetMs, ushort word)
    {
        long difference = offsetMs - _outlierOffsetMs;
        bool agrees = _outliers > 0 && difference < OutliersAgreeMs && difference > -OutliersAgreeMs;
        if (agrees && !SeqNo.IsNewer(word, _outlierWord))
        {
            return false;
        }

        _outliers = agrees ? (byte)(_outliers + 1) : (byte)1;
        _outlierOffsetMs = offsetMs;
        _outlierWord = word;
        return _outliers >= OutliersUntilBelieved;
    }

    private double SlewAt(long elapsedMs)
    {
        double step = elapsedMs * SlewPerMs;
        return _slewMs > step ? _slewMs - step : _slewMs < -step ? _slewMs + step : 0;
    }

    // Rounded up; the device's library of mathematics is not worth loading for this.
    private static int Root(double value)
    {
        int low = 0;
        int high = ushort.MaxValue;
        while (low < high)
        {
            int middle = (low + high) / 2;
            if ((double)middle * middle < value)
            {
                low = middle + 1;
            }
            else
            {
                high = middle;
            }
        }

        return low;
    }
}
