using IoTMesh.Core;
using IoTMesh.Driver;
using IoTMesh.Gateway.CommandLine;
using IoTMesh.Gateway.Site;
using IoTMesh.Gateway.Storage;
using IoTMesh.Node;
using IoTMesh.Simulation;

namespace IoTMesh.Gateway.Demo;

/// <summary>
/// Nodes of a demo: the firmware's application, each on its own driver thread, on one air in this process. A node that is killed
/// keeps its counters, as a board does, and nothing else. Thread-safe.
/// </summary>
internal sealed class VirtualSite : IDisposable
{
    internal const ushort GatewayAddress = 1;

    private static readonly string[] _places =
    [
        "Hall", "Kitchen", "Attic", "Cellar", "Garage", "Garden", "Greenhouse", "Workshop", "Office", "Library", "Roof", "Stairs",
        "Balcony", "Porch", "Barn", "Stable", "Orchard", "Well", "Gate", "Pond",
    ];

    private readonly Lock _gate = new();
    private readonly RealTimeAir _air;
    private readonly Dictionary<ushort, NodeSettings> _settings = [];
    private readonly Dictionary<ushort, MemoryStorage> _storages = [];
    private readonly SortedDictionary<ushort, VirtualNode> _running = [];

    internal VirtualSite(Topology topology, byte[] siteSecret, int periodSeconds, ulong seed, IFrameWatch? watch = null)
    {
        _air = new RealTimeAir(topology, seed) { Watch = watch };
        var devices = new List<Device>();
        for (ushort address = GatewayAddress + 1; address <= topology.NodeCount; address++)
        {
            int index = address - GatewayAddress - 1;
            string place = _places[index % _places.Length] + (index < _places.Length ? "" : $" {(index / _places.Length) + 1}");
            Device device = Registry.CreateDevice(siteSecret, address, null, devices) with { Name = place };
            devices.Add(device);
            _settings[address] = Enrolment.CreateSettings(siteSecret, device);
            _settings[address].PeriodSeconds = periodSeconds;
            _storages[address] = new MemoryStorage();
        }

        Devices = devices;
    }

    internal IReadOnlyList<Device> Devices { get; }

    internal ILink ConnectGateway()
    {
        return _air.Connect(GatewayAddress);
    }

    internal void StartAll()
    {
        foreach (Device device in Devices)
        {
            Start(device.Address);
        }
    }

    internal void Start(ushort address)
    {
        lock (_gate)
        {
            var node = new VirtualNode(_settings[address], _air.Connect(address), _storages[address]);
            _running.Add(address, node);
            node.Start();
        }
    }

    /// <summary>Ends a node at once, as a power cut does.</summary>
    internal void Kill(ushort address)
    {
        lock (_gate)
        {
            _air.Kill(address);
            if (_running.Remove(address, out VirtualNode? node))
            {
                node.Stop();
            }
        }
    }

    /// <summary>
    /// A node to kill: never one whose loss cuts others off from the gateway, and if possible one that carries traffic of others.
    /// </summary>
    /// <param name="isParent">True for a node that others send through.</param>
    internal ushort ChooseVictim(Random random, Func<ushort, bool> isParent)
    {
        lock (_gate)
        {
            List<ushort> spare = _running.Keys.Where(a => IsSpare(a)).ToList();
            List<ushort> relays = spare.Where(isParent).ToList();
            List<ushort> choice = relays.Count > 0 ? relays : spare;
            return choice.Count == 0 ? MeshAddress.None : choice[random.Next(choice.Count)];
        }
    }

    /// <summary>Defects that the nodes' drivers survived.</summary>
    internal int CountFaults()
    {
        lock (_gate)
        {
            return _running.Values.Sum(n => n.Driver.ApplicationFaults + n.Driver.DriverFaults);
        }
    }

    public void Dispose()
    {
        lock (_gate)
        {
            foreach (ushort address in _running.Keys)
            {
                _air.Kill(address);
            }

            Parallel.ForEach(_running.Values, n => n.Stop());
            _running.Clear();
            _air.Dispose();
        }
    }

    private bool IsSpare(ushort without)
    {
        var reached = new HashSet<int> { GatewayAddress };
        var next = new Queue<int>([GatewayAddress]);
        while (next.TryDequeue(out int node))
        {
            foreach (RadioLink link in _air.Topology.LinksFrom(node))
            {
                if (link.To != without && _running.ContainsKey((ushort)link.To) && link.DeliveryRatio > 0 && reached.Add(link.To))
                {
                    next.Enqueue(link.To);
                }
            }
        }

        return _running.Keys.All(a => a == without || reached.Contains(a));
    }
}
