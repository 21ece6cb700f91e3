using IoTMesh.Gateway.Live;

namespace IoTMesh.Gateway.Tests.Pages;

/// <summary>
/// A mesh whose picture a test moves on by hand: a grid, four wide (wider from 25 nodes on), the gateway in the corner, each node measuring.
/// Routes follow the fewest hops over nodes that are up.
/// </summary>
public sealed class ScriptedMesh : ILiveView
{
    private const int HistoryMax = 120;

    private readonly Lock _lock = new();
    private readonly int _count;
    private readonly int _width;
    private readonly bool[] _down;
    private readonly DateTimeOffset[] _lastSeen;
    private readonly List<double>[] _temperatures;
    private readonly List<EventView> _events = [];
    private long _step;

    /// <param name="count">Nodes with the gateway.</param>
    public ScriptedMesh(int count = 13)
    {
        _count = count;
        _width = Math.Max(4, (int)Math.Sqrt(count));
        _down = new bool[count];
        _lastSeen = new DateTimeOffset[count];
        _temperatures = [.. Enumerable.Range(0, count).Select(_ => new List<double>())];
        for (int i = 0; i < 40; i++)
        {
            Step();
        }
    }

    public event Action? Changed;

    public MeshView Current { get; private set; } = null!;

    public bool BrokerConnected { get; set; } = true;

    public static string IdOf(int index) => index == 0 ? "gateway-1" : $"node-{index + 1:00}";

    /// <summary>A second goes by: each node that is up measures once.</summary>
    public void Step()
    {
        lock (_lock)
        {
            _step++;
            for (int i = 0; i < _count; i++)
            {
                if (!_down[i])
                {
                    _lastSeen[i] = DateTimeOffset.UtcNow;
                    _temperatures[i].Add(20 + i + (2 * Math.Sin((_step + (7 * i)) / 9.0)) + (0.15 * ((_step * (i + 3)) % 5)));
                    _temperatures[i].RemoveRange(0, Math.Max(0, _temperatures[i].Count - HistoryMax));
                }
            }

            Current = Picture();
        }

        Changed?.Invoke();
    }

    public void Kill(int index) => Turn(index, down: true, "warning", "offline: nothing heard for 5 s");

    public void Start(int index) => Turn(index, down: false, "info", "online again");

    public void Tell(EventView happened, int times)
    {
        lock (_lock)
        {
            _events.InsertRange(0, Enumerable.Range(0, times).Select(_ => happened with { }));
        }
    }

    /// <summary>The next hop of a node in the present picture.</summary>
    public string? ParentOf(int index)
    {
        ushort parent = Current.Nodes[index].Parent;
        return parent == 0 ? null : IdOf(parent - 1);
    }

    private void Turn(int index, bool down, string level, string text)
    {
        lock (_lock)
        {
            _down[index] = down;
            _events.Insert(0, new EventView(DateTimeOffset.UtcNow, level, IdOf(index), text));
        }

        Step();
    }

    private MeshView Picture()
    {
        int[] hops = HopsFromGateway();
        var nodes = new List<NodeView>();
        var links = new List<LinkView>();
        for (int i = 0; i < _count; i++)
        {
            int parent = Neighbors(i).Where(n => hops[n] == hops[i] - 1 && !_down[n]).DefaultIfEmpty(-1).First();
            bool joined = !_down[i] && hops[i] < int.MaxValue;
            nodes.Add(new NodeView(
                IdOf(i), (ushort)(i + 1), i == 0 ? "Gateway" : $"node {i + 1}", i == 0 ? "iotmesh" : "virtual ESP32", joined, i == 0,
                _lastSeen[i], joined ? hops[i] : null, i == 0 ? null : -52 - (i * 17 % 36), joined && parent >= 0 ? (ushort)(parent + 1) : (ushort)0,
                _down[i] ? 0 : _step * 1000, i == 0 ? [] : Readings(i)));
            links.AddRange(Neighbors(i).Where(n => !_down[i] && !_down[n]).Select(n => Link(i, n, n == parent)));
        }

        long published = _step * (_count - 1);
        const string Broker = "mqtt://127.0.0.1:1883 (built in)";
        OutboxView outbox = BrokerConnected ? new(true, Broker, 0, 0, published) : new(false, Broker, _step, 30, published);
        return new MeshView(_step, "home", IdOf(0), nodes, links, [.. _events], outbox);
    }

    private static LinkView Link(int from, int to, bool isRoute)
    {
        double etx = 1.02 + (Math.Min(from, to) * Math.Max(from, to) * 13 % 29 / 12.0);
        return new LinkView((ushort)(from + 1), (ushort)(to + 1), etx, -55 - ((from + to) * 11 % 35), isRoute);
    }

    private ReadingView[] Readings(int i)
    {
        List<double> temperatures = _temperatures[i];
        if (temperatures.Count == 0)
        {
            return [];
        }

        double[] history = [.. temperatures.Select(t => Math.Round(t, 2))];
        double[] humidity = [.. temperatures.Select(t => Math.Round(80 - t))];
        double[] memory = [.. temperatures.Select(t => Math.Floor(120_000 + (1000 * t)))];
        return
        [
            new ReadingView("temperature", "Temperature", history[^1], "°C", _lastSeen[i], history),
            new ReadingView("humidity", "Humidity", humidity[^1], "%", _lastSeen[i], humidity),
            new ReadingView("free-memory", "Free memory", memory[^1], "B", _lastSeen[i], memory),
            new ReadingView("battery", "Battery", 97 - i, "%", _lastSeen[i], [97 - i, 97 - i]),
        ];
    }

    private int[] HopsFromGateway()
    {
        var hops = new int[_count];
        Array.Fill(hops, int.MaxValue);
        hops[0] = 0;
        var queue = new Queue<int>([0]);
        while (queue.TryDequeue(out int at))
        {
            foreach (int next in Neighbors(at).Where(n => !_down[n] && hops[n] == int.MaxValue))
            {
                hops[next] = hops[at] + 1;
                queue.Enqueue(next);
            }
        }

        return hops;
    }

    private IEnumerable<int> Neighbors(int i)
    {
        int[] around = [i - _width, i % _width > 0 ? i - 1 : -1, i % _width < _width - 1 ? i + 1 : -1, i + _width];
        return around.Where(n => n >= 0 && n < _count);
    }
}
