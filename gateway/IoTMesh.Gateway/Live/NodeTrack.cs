using IoTMesh.Core;
using IoTMesh.Gateway.Storage;

namespace IoTMesh.Gateway.Live;

/// <summary>What the gateway knows of one node now. Guarded by the lock of <see cref="LiveMesh"/>.</summary>
internal sealed class NodeTrack
{
    private const int HistoryMax = 60;
    private const double PeriodShare = 0.2;

    private readonly Dictionary<string, ReadingTrack> _readings = [];
    private ushort _lastBoot;
    private uint _lastSeq;
    private long _lastMeasuredMs;

    internal NodeTrack(Device device)
    {
        Device = device;
    }

    internal Device Device { get; set; }

    internal bool IsOnline { get; set; }

    internal long LastSeenMs { get; set; }

    internal int? Hops { get; set; }

    internal int? RssiDbm { get; set; }

    internal ushort Parent { get; set; }

    internal long UptimeMs { get; private set; }

    internal ushort Boot => _lastBoot;

    internal uint Seq => _lastSeq;

    /// <summary>Time between readings, ms; 0 while unknown.</summary>
    internal double PeriodMs { get; private set; }

    internal IReadOnlyList<LinkView> Links { get; set; } = [];

    private sealed class ReadingTrack
    {
        internal required ReadingKind Kind { get; init; }

        internal double Value;
        internal long AtMs;
        internal readonly Queue<double> History = new(HistoryMax);
    }

    /// <summary>Takes a reading; one that is older than what is shown changes nothing but the node's last sign of life.</summary>
    /// <returns>True where the node began a new boot.</returns>
    internal bool Apply(StoredReading reading, long uptimeMs)
    {
        bool isNewer = reading.Boot > _lastBoot || (reading.Boot == _lastBoot && reading.Seq > _lastSeq);
        if (!isNewer)
        {
            return false;
        }

        bool isNewBoot = reading.Boot != _lastBoot && _lastBoot != 0;
        if (reading.Boot == _lastBoot && reading.Seq > _lastSeq && _lastSeq != 0)
        {
            double periodMs = (double)(reading.TimeMs - _lastMeasuredMs) / (reading.Seq - _lastSeq);
            PeriodMs = PeriodMs == 0 ? periodMs : PeriodMs + (PeriodShare * (periodMs - PeriodMs));
        }

        _lastBoot = reading.Boot;
        _lastSeq = reading.Seq;
        _lastMeasuredMs = reading.TimeMs;
        UptimeMs = uptimeMs;
        foreach (NamedValue value in Decoded.Values(reading.Payload))
        {
            if (value.Text is null)
            {
                Apply(value, reading.TimeMs);
            }
        }

        return isNewBoot;
    }

    internal NodeView View()
    {
        return new NodeView(
            Device.Id, Device.Address, Device.Name, Device.Model, IsOnline, false,
            LastSeenMs == 0 ? null : DateTimeOffset.FromUnixTimeMilliseconds(LastSeenMs), Hops, RssiDbm, Parent, UptimeMs,
            _readings.Select(View).ToList());
    }

    /// <summary>Kinds of readings seen, by name.</summary>
    internal IReadOnlyList<KeyValuePair<string, ReadingKind>> Kinds()
    {
        return _readings.Select(r => KeyValuePair.Create(r.Key, r.Value.Kind)).ToList();
    }

    private void Apply(NamedValue value, long atMs)
    {
        if (!_readings.TryGetValue(value.Name, out ReadingTrack? track))
        {
            _readings.Add(value.Name, track = new ReadingTrack { Kind = value.Kind });
        }

        track.Value = value.Value;
        track.AtMs = atMs;
        if (track.History.Count == HistoryMax)
        {
            track.History.Dequeue();
        }

        track.History.Enqueue(value.Value);
    }

    private static ReadingView View(KeyValuePair<string, ReadingTrack> reading)
    {
        ReadingTrack r = reading.Value;
        return new ReadingView(
            reading.Key, r.Kind.Label, r.Value, r.Kind.Unit, DateTimeOffset.FromUnixTimeMilliseconds(r.AtMs), r.History.ToArray());
    }
}
