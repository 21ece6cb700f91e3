using IoTMesh.Core;
using IoTMesh.Gateway.Mesh;
using IoTMesh.Gateway.Storage;

namespace IoTMesh.Gateway.Live;

/// <summary>
/// The live picture, fed by deliveries, link reports and events from any thread. Changes are gathered: <see cref="Changed"/> fires at
/// most every <see cref="ChangeIntervalMs"/> on a pool thread.
/// </summary>
public sealed class LiveMesh : ILiveView, IDisposable
{
    public const int ChangeIntervalMs = 250;

    private const int EventsMax = 500;
    private const int MissedPeriods = 3;

    private readonly Lock _gate = new();
    private readonly SortedDictionary<ushort, NodeTrack> _nodes = [];
    private readonly Queue<EventView> _events = new();
    private readonly string _site;
    private readonly string _gateway;
    private readonly ushort _address;
    private readonly int _offlineAfterMs;
    private readonly TimeProvider _time;
    private readonly ITimer _timer;
    private readonly long _startedAt;
    private readonly LinkReport _report = new(LinkReportCodec.MaxNeighbors(1200));
    private IReadOnlyList<LinkView> _gatewayLinks = [];
    private OutboxView _outbox = new(false, "", 0, 0, 0);
    private long _version = 1;
    private long _notifiedVersion = 1;
    private MeshView? _current;

    public LiveMesh(string site, string gateway, ushort address, int offlineAfterMs, TimeProvider time)
    {
        _site = site;
        _gateway = gateway;
        _address = address;
        _offlineAfterMs = offlineAfterMs;
        _time = time;
        _startedAt = time.GetTimestamp();
        _timer = time.CreateTimer(_ => Tick(), null, TimeSpan.FromMilliseconds(ChangeIntervalMs), TimeSpan.FromMilliseconds(ChangeIntervalMs));
    }

    /// <inheritdoc/>
    public event Action? Changed;

    /// <summary>A node went online (true) or offline. Raised outside the lock.</summary>
    public event Action<Device, bool>? AvailabilityChanged;

    /// <summary>Something worth telling happened.</summary>
    public event Action<EventView>? EventAdded;

    /// <inheritdoc/>
    public MeshView Current
    {
        get
        {
            lock (_gate)
            {
                return _current ??= Build();
            }
        }
    }

    /// <summary>Takes over the enrolled devices.</summary>
    public void SetDevices(IReadOnlyList<Device> devices)
    {
        lock (_gate)
        {
            foreach (ushort gone in _nodes.Keys.Except(devices.Select(d => d.Address)).ToList())
            {
                _nodes.Remove(gone);
            }

            foreach (Device device in devices)
            {
                if (_nodes.TryGetValue(device.Address, out NodeTrack? node))
                {
                    node.Device = device;
                }
                else
                {
                    _nodes.Add(device.Address, new NodeTrack(device));
                }
            }

            Touch();
        }
    }

    /// <summary>Readings of an earlier run, oldest first, for the curves.</summary>
    public void Restore(IEnumerable<StoredReading> readings)
    {
        lock (_gate)
        {
            foreach (StoredReading reading in readings)
            {
                if (_nodes.TryGetValue(reading.Address, out NodeTrack? node))
                {
                    node.Apply(reading, 0);
                }
            }

            Touch();
        }
    }

    /// <summary>Readings that are committed.</summary>
    public void Apply(IReadOnlyList<CommittedReading> committed)
    {
        foreach (CommittedReading c in committed)
        {
            Heard(c.Delivery.Origin, c.Delivery.Hops, c.Delivery.RssiDbm, c.Delivery.ArrivedMs);
            bool isNewBoot;
            lock (_gate)
            {
                isNewBoot = c.IsNew && _nodes.TryGetValue(c.Delivery.Origin, out NodeTrack? node) && node.Apply(c.Reading, c.Delivery.OriginUptimeMs);
                Touch();
            }

            if (isNewBoot)
            {
                AddEvent("warning", IdOf(c.Delivery.Origin), $"restarted (boot {c.Reading.Boot})");
            }
        }
    }

    /// <summary>A message came from that node.</summary>
    public void Heard(ushort address, int hops, int rssiDbm, long atMs)
    {
        Device? appeared = null;
        lock (_gate)
        {
            if (!_nodes.TryGetValue(address, out NodeTrack? node))
            {
                return;
            }

            node.LastSeenMs = Math.Max(node.LastSeenMs, atMs);
            node.Hops = hops;
            node.RssiDbm = rssiDbm == 0 ? null : rssiDbm;
            if (!node.IsOnline)
            {
                node.IsOnline = true;
                appeared = node.Device;
            }

            Touch();
        }

        if (appeared is not null)
        {
            AvailabilityChanged?.Invoke(appeared, true);
            AddEvent("info", appeared.Id, "online");
        }
    }

    /// <summary>A node's own view of its links. False for bytes that are no link report.</summary>
    public bool ApplyLinkReport(Delivery delivery)
    {
        string? text = null;
        lock (_gate)
        {
            if (LinkReportCodec.Decode(delivery.Payload, 0, delivery.Payload.Length, _report) != ParseError.None)
            {
                return false;
            }

            if (_nodes.TryGetValue(delivery.Origin, out NodeTrack? node))
            {
                if (node.Parent != _report.Parent && _report.Parent != MeshAddress.None)
                {
                    text = node.Parent == MeshAddress.None
                        ? $"reaches the gateway through {NameOf(_report.Parent)}"
                        : $"goes through {NameOf(_report.Parent)} instead of {NameOf(node.Parent)}";
                }

                node.Parent = _report.Parent;
                node.Links = LinksOf(delivery.Origin);
                Touch();
            }
        }

        if (text is not null)
        {
            AddEvent("info", IdOf(delivery.Origin), text);
        }

        return true;
    }

    /// <summary>The gateway's own links.</summary>
    public void Apply(MeshSnapshot snapshot)
    {
        var links = snapshot.Neighbors.Select(n => new LinkView(_address, n.Address, n.Etx, n.RssiDbm == 0 ? null : n.RssiDbm, false)).ToList();
        lock (_gate)
        {
            if (!links.SequenceEqual(_gatewayLinks))
            {
                _gatewayLinks = links;
                Touch();
            }
        }
    }

    public void Apply(OutboxView outbox)
    {
        lock (_gate)
        {
            if (outbox != _outbox)
            {
                _outbox = outbox;
                Touch();
            }
        }
    }

    /// <param name="level">info, warning or error.</param>
    /// <param name="source">Node id, gateway id, or a part such as mqtt.</param>
    public void AddEvent(string level, string source, string text)
    {
        var entry = new EventView(_time.GetUtcNow(), level, source, text);
        lock (_gate)
        {
            if (_events.Count == EventsMax)
            {
                _events.Dequeue();
            }

            _events.Enqueue(entry);
            Touch();
        }

        EventAdded?.Invoke(entry);
    }

    /// <summary>Kinds of readings a device has sent, by their names.</summary>
    public IReadOnlyList<KeyValuePair<string, ReadingKind>> KindsOf(Device device)
    {
        lock (_gate)
        {
            return _nodes.TryGetValue(device.Address, out NodeTrack? node) ? node.Kinds() : [];
        }
    }

    public bool IsOnline(Device device)
    {
        lock (_gate)
        {
            return _nodes.TryGetValue(device.Address, out NodeTrack? node) && node.IsOnline;
        }
    }

    public void Dispose()
    {
        _timer.Dispose();
    }

    private void Tick()
    {
        long nowMs = _time.GetUtcNow().ToUnixTimeMilliseconds();
        var gone = new List<(Device Device, double SilentSeconds)>();
        bool isChanged;
        lock (_gate)
        {
            foreach (NodeTrack node in _nodes.Values)
            {
                if (node.IsOnline && nowMs - node.LastSeenMs > Math.Max(_offlineAfterMs, MissedPeriods * node.PeriodMs))
                {
                    node.IsOnline = false;
                    gone.Add((node.Device, (nowMs - node.LastSeenMs) / 1000.0));
                    Touch();
                }
            }

            isChanged = _version != _notifiedVersion;
            _notifiedVersion = _version;
        }

        foreach ((Device device, double silentSeconds) in gone)
        {
            AvailabilityChanged?.Invoke(device, false);
            AddEvent("warning", device.Id, $"offline: silent for {silentSeconds:0} s");
        }

        if (isChanged)
        {
            Changed?.Invoke();
        }
    }

    private void Touch()
    {
        _version++;
        _current = null;
    }

    private MeshView Build()
    {
        var online = _nodes.Values.Where(n => n.IsOnline).Select(n => n.Device.Address).Append(_address).ToHashSet();
        var nodes = new List<NodeView>(_nodes.Count + 1) { GatewayNode() };
        nodes.AddRange(_nodes.Values.Select(n => n.View()));
        IEnumerable<LinkView> links = _gatewayLinks.Concat(_nodes.Values.SelectMany(n => n.Links));
        return new MeshView(
            _version, _site, _gateway, nodes, links.Where(l => online.Contains(l.From) && online.Contains(l.To)).ToList(),
            _events.Reverse().ToList(), _outbox);
    }

    private NodeView GatewayNode()
    {
        long uptimeMs = (long)_time.GetElapsedTime(_startedAt).TotalMilliseconds;
        return new NodeView(_gateway, _address, "Gateway", "IoTMesh gateway", true, true, _time.GetUtcNow(), 0, null, MeshAddress.None, uptimeMs, []);
    }

    private List<LinkView> LinksOf(ushort from)
    {
        var links = new List<LinkView>(_report.Count);
        for (int i = 0; i < _report.Count; i++)
        {
            int? rssiDbm = _report.RssiDbm[i] == 0 ? null : _report.RssiDbm[i];
            links.Add(new LinkView(from, _report.Addresses[i], _report.LinkCosts[i] / 64.0, rssiDbm, _report.Addresses[i] == _report.Parent));
        }

        return links;
    }

    private string IdOf(ushort address)
    {
        lock (_gate)
        {
            return NameOf(address);
        }
    }

    private string NameOf(ushort address)
    {
        return address == _address ? _gateway : _nodes.TryGetValue(address, out NodeTrack? node) ? node.Device.Id : $"address {address}";
    }
}
