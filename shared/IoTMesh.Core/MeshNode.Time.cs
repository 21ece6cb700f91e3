namespace IoTMesh.Core;

/// <content>Mesh time: gateways are told UTC, beacons carry it. protocol.md 5.8.</content>
public sealed partial class MeshNode
{
    // Both clocks show whole milliseconds.
    private const int HopSigma16 = 8;
    private const int ServiceSigma16 = 8;
    private const int TimeHopsMax = 254;

    // With no word of a gateway for that long, in units of 4 s, any neighbor's newer word will do; a gateway's own too.
    private const int WordsUntilStale = 100;

    // A nearer neighbor is preferred though its word is that much older.
    private const int WordsBehind = 32;
    private const int UsPerMs = 1000;
    private readonly MeshClock _clock = new MeshClock();
    private long _linkFreeUs;

    /// <summary>True once this node knows UTC. It may be any number of days off the mark of an attacker: use it for no security.</summary>
    public bool TimeKnown => _clock.IsKnown;

    /// <summary>Links between here and the gateway whose time it is; 0 at that gateway.</summary>
    public int TimeHops => _clock.Hops;

    /// <summary>UTC, ms since 1970, where <see cref="TimeKnown"/>. Continuous but for corrections of more than a second.</summary>
    public long UtcMs(long nowMs)
    {
        return _clock.UtcMs(nowMs);
    }

    /// <summary>How far <see cref="UtcMs"/> is off at most, by the node's own reckoning, ms (two standard errors); 60,000 is that or more.</summary>
    public int TimeErrorMs(long nowMs)
    {
        return _clock.IsKnown ? _clock.ErrorMs(nowMs) : int.MaxValue;
    }

    /// <summary>Gateways: their service tells the time, about every 10 s. Nothing but the time field of beacons depends on it.</summary>
    /// <param name="utcMs">UTC when the node's clock shows <paramref name="nowMs"/>, ms since 1970.</param>
    public void SetTime(long nowMs, long utcMs)
    {
        Advance(nowMs);
        _clock.Observe(nowMs, utcMs * MeshClock.UnitsPerMs, ServiceSigma16, (ushort)(utcMs / TimeFormat.WordMs), 0);
    }

    /// <summary>Reserves the time field behind a beacon's fixed part; 0 where there is no time to tell.</summary>
    private int BeginTimeField(byte[] frame, int at, int part)
    {
        if (part != 0 || !_clock.IsKnown || _clock.Hops >= TimeHopsMax)
        {
            return 0;
        }

        frame[at + BeaconFormat.OffsetFlags] |= BeaconFormat.FlagTime;
        return TimeFormat.Length;
    }

    /// <summary>Fills it once the frame's length is known: the time is that of the frame's end on air.</summary>
    private void PutTimeField(byte[] frame, int at, int frameLength)
    {
        int aheadUs = (int)(FreeAfterUs(frameLength) - (_nowMs * UsPerMs));
        TimeFormat.PutUtc16(frame, at, _clock.Estimate16(_nowMs, aheadUs));
        Bytes.PutU16(frame, at + TimeFormat.OffsetWord, _clock.Word);
        Bytes.PutU16(frame, at + TimeFormat.OffsetSigma, (ushort)_clock.Sigma16(_nowMs));
        frame[at + TimeFormat.OffsetHops] = _clock.Hops;
    }

    private void ReceiveTime(int neighbor, byte[] buffer, int at)
    {
        // Only of a neighbor that has proven to be there now: a recording from before this node's start must not set its clock.
        int hops = buffer[at + TimeFormat.OffsetHops] + 1;
        if (!_neighbors.IsUsable(neighbor) || hops > TimeHopsMax)
        {
            return;
        }

        long utc16 = TimeFormat.GetUtc16(buffer, at) + (Config.LinkLatencyUs * MeshClock.UnitsPerMs / UsPerMs);
        int sigma16 = Bytes.GetU16(buffer, at + TimeFormat.OffsetSigma);
        ushort word = Bytes.GetU16(buffer, at + TimeFormat.OffsetWord);
        if (_clock.IsKnown && !IsBetterTime(word, hops))
        {
            return;
        }

        // Errors of two links add up as squares; this is never less than their root and at most half too much.
        _clock.Observe(_nowMs, utc16, sigma16 < HopSigma16 ? HopSigma16 + (sigma16 / 2) : sigma16 + (HopSigma16 / 2), word, (byte)hops);
    }

    /// <summary>
    /// Each word of a gateway is used once, so that nodes cannot keep an old time young by telling it to each other; from nearer
    /// to the gateway than this node, or from anywhere once its own source has gone silent.
    /// </summary>
    private bool IsBetterTime(ushort word, int hops)
    {
        ushort now = (ushort)(_clock.UtcMs(_nowMs) / TimeFormat.WordMs);
        bool isStale = (ushort)(now - _clock.Word) > WordsUntilStale;
        bool isNearer = hops < _clock.Hops && (short)(word - _clock.Word) > -WordsBehind;
        return isNearer || (SeqNo.IsNewer(word, _clock.Word) && (hops == _clock.Hops || isStale));
    }

    private void NoteAirtime(int frameLength)
    {
        _linkFreeUs = FreeAfterUs(frameLength);
    }

    /// <summary>When the link will have sent one more frame of that length behind those polled before, us on the local clock.</summary>
    private long FreeAfterUs(int frameLength)
    {
        long nowUs = _nowMs * UsPerMs;
        return (_linkFreeUs > nowUs ? _linkFreeUs : nowUs) + AirtimeUs(frameLength);
    }

    private long AirtimeUs(int frameLength)
    {
        return Config.LinkPreambleUs + (frameLength * 8L * 1_000_000 / Config.LinkBitsPerSecond);
    }
}
