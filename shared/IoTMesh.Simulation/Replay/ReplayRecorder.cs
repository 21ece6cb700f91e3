using System.Text;
using System.Text.Json;
using IoTMesh.Core;

namespace IoTMesh.Simulation;

/// <summary>
/// Records a run for a page that a person can scrub through: links, routes, frames, readings, faults. Bounded: of more frames than
/// the page holds only every second, fourth ... is kept, of the rest what came first; the page says so.
/// </summary>
public sealed class ReplayRecorder(Scenario scenario, ulong seed) : IRunWatch
{
    // About 15 bytes each in the page, so a page stays below 6 MB.
    internal const int FramesMax = 60_000;
    internal const int EventsMax = 80_000;
    private const int Gone = 0;
    private readonly List<(long AtUs, int From, int To, int Type, int Heard, int Missed)> _frames = [];
    private readonly EventList<(long AtUs, int Node, int NextHop)> _routes = new(EventsMax);
    private readonly EventList<(long AtUs, int Node, int State)> _states = new(EventsMax);
    private readonly EventList<(long AtUs, int A, int B, int Percent)> _links = new(EventsMax);
    private readonly EventList<(long AtUs, int Node, double X, double Y)> _moves = new(EventsMax);
    private readonly EventList<(long AtUs, string Text)> _faults = new(EventsMax);
    private readonly EventList<(long AtUs, string Text)> _violations = new(EventsMax);
    private readonly EventList<(long AtUs, int From, int To)> _readings = new(EventsMax);
    private readonly List<long> _deliveredUs = [];
    private VirtualMesh _mesh = null!;
    private RadioPosition[] _positions = [];
    private int[] _nextHops = [];
    private int[] _stateOf = [];
    private Dictionary<(int A, int B), int> _linkPercents = [];
    private long _framesSeen;
    private long _frameStride = 1;
    private long _endUs;

    /// <summary>Node that routes are shown to where there is no gateway.</summary>
    private int Root => _mesh.Topology.Gateways.Count == 0 ? 1 : 0;

    public void Begun(VirtualMesh mesh)
    {
        _mesh = mesh;
        int nodes = mesh.Topology.NodeCount;
        _positions = mesh.Topology.HasPositions
            ? [.. Enumerable.Range(1, nodes).Select(mesh.Topology.PositionOf)]
            : SpringLayout.Of(mesh.Topology);
        for (int node = 1; node <= nodes && mesh.Topology.HasPositions; node++)
        {
            _moves.Add((0, node, _positions[node - 1].X, _positions[node - 1].Y));
        }

        _nextHops = new int[nodes + 1];
        _stateOf = new int[nodes + 1];
    }

    public void FrameEnded(in AirFrame frame)
    {
        if (_framesSeen++ % _frameStride != 0)
        {
            return;
        }

        int heard = 0;
        foreach (Reception reception in frame.Receptions)
        {
            heard += reception.Fate == Fate.Delivered ? 1 : 0;
        }

        int to = Topology.IsBroadcast(frame.LinkDestination) ? 0 : frame.LinkDestination;
        _frames.Add((frame.EndUs, frame.Transmitter, to, FrameFormat.GetType(frame.Bytes[0]), heard, frame.Receptions.Length - heard));
        if (_frames.Count >= FramesMax)
        {
            // Every second one goes, so that the rest stays evenly spread.
            int kept = 0;
            for (int i = 0; i < _frames.Count; i += 2)
            {
                _frames[kept++] = _frames[i];
            }

            _frames.RemoveRange(kept, _frames.Count - kept);
            _frameStride *= 2;
        }
    }

    public void RouteChanged(long nowUs, int node)
    {
        if (NoteState(nowUs, node))
        {
            NoteLinks(nowUs);
        }

        NoteRoute(nowUs, node);
    }

    public void Faulted(long nowUs, FaultEntry fault)
    {
        _faults.Add((nowUs, FaultText.Of(fault)));
        for (int node = 1; node <= _mesh.Topology.NodeCount; node++)
        {
            NoteState(nowUs, node);
            NoteRoute(nowUs, node);
            if (_mesh.Topology.HasPositions && _mesh.Medium.PositionOf(node) is var position && position != _positions[node - 1])
            {
                _positions[node - 1] = position;
                _moves.Add((nowUs, node, position.X, position.Y));
            }
        }

        NoteLinks(nowUs);
    }

    public void Made(long nowUs, int reading, int from, int to, SendResult taken)
    {
        while (_deliveredUs.Count <= reading)
        {
            _deliveredUs.Add(-1);
        }

        _readings.Add((nowUs, from, to));
    }

    public void Delivered(long nowUs, int reading, int at) => _deliveredUs[reading] = nowUs;

    public void Violated(long nowUs, string what) => _violations.Add((nowUs, what));

    public void Ended(long nowUs) => _endUs = nowUs;

    /// <summary>Writes one HTML file that needs nothing else.</summary>
    /// <exception cref="IOException">The stream cannot take it.</exception>
    public void Write(Stream stream)
    {
        using StreamWriter writer = new(stream, new UTF8Encoding(encoderShouldEmitUTF8Identifier: false), leaveOpen: true);
        string page = Resource("replay.html");
        string data = Data().Replace("<", "\\u003c", StringComparison.Ordinal);
        writer.Write(page
            .Replace("/*style*/", Resource("replay.css"), StringComparison.Ordinal)
            .Replace("/*script*/", Resource("replay.js"), StringComparison.Ordinal)
            .Replace("/*data*/", data, StringComparison.Ordinal));
    }

    private bool NoteState(long nowUs, int node)
    {
        int state = _mesh.IsServing(node) ? 2 : _mesh.IsRunning(node) ? 1 : 0;
        if (state == _stateOf[node])
        {
            return false;
        }

        _stateOf[node] = state;
        _states.Add((nowUs, node, state));
        return true;
    }

    private void NoteRoute(long nowUs, int node)
    {
        int next = 0;
        if (_mesh.CoreOf(node) is MeshNode core && !core.Config.IsGateway && node != Root)
        {
            next = core.GetNextHop(Root == 0 ? MeshAddress.AnyGateway : Topology.AddressOf(Root));
        }

        if (next != _nextHops[node])
        {
            _nextHops[node] = next;
            _routes.Add((nowUs, node, next));
        }
    }

    /// <summary>What links exist now, as the better of their two directions tells, less what was known.</summary>
    private void NoteLinks(long nowUs)
    {
        Dictionary<(int A, int B), int> now = [];
        for (int node = 1; node <= _mesh.Topology.NodeCount; node++)
        {
            foreach (MediumLink link in _mesh.Medium.LinksFrom(node))
            {
                (int, int) pair = (Math.Min(node, link.To), Math.Max(node, link.To));
                int percent = (int)Math.Round(100.0 * link.PassBelow / (1UL << 32));
                now[pair] = now.TryGetValue(pair, out int other) ? Math.Min(other, percent) : percent;
            }
        }

        foreach ((int A, int B) pair in _linkPercents.Keys.Where(pair => !now.ContainsKey(pair)))
        {
            _links.Add((nowUs, pair.A, pair.B, Gone));
        }

        foreach (((int A, int B) pair, int percent) in now)
        {
            if (!_linkPercents.TryGetValue(pair, out int before) || before != percent)
            {
                _links.Add((nowUs, pair.A, pair.B, percent));
            }
        }

        _linkPercents = now;
    }

    private static string Resource(string name)
    {
        using Stream stream = typeof(ReplayRecorder).Assembly.GetManifestResourceStream(name)!;
        using StreamReader reader = new(stream);
        return reader.ReadToEnd();
    }

    private string Data()
    {
        using MemoryStream stream = new();
        using (Utf8JsonWriter json = new(stream))
        {
            json.WriteStartObject();
            json.WriteString("name", scenario.Name);
            json.WriteString("seed", seed.ToString(System.Globalization.CultureInfo.InvariantCulture));
            json.WriteString("topology", Topology.WordOf(_mesh.Topology.Kind));
            json.WriteNumber("endMs", _endUs / 1000.0);
            json.WriteNumber("nodes", _mesh.Topology.NodeCount);
            Row(json, "gateways", _mesh.Topology.Gateways);
            json.WriteNumber("root", Root);
            json.WriteNumber("frameStride", _frameStride);
            json.WriteNumber("framesSeen", _framesSeen);
            json.WriteStartArray("positions");
            foreach (RadioPosition position in _mesh.Topology.HasPositions ? [] : _positions)
            {
                json.WriteRawValue(string.Create(System.Globalization.CultureInfo.InvariantCulture, $"[{position.X:0.###},{position.Y:0.###}]"));
            }

            json.WriteEndArray();
            WriteEvents(json);
            json.WriteStartArray("cut");
            foreach ((string what, long? fromUs) in new[]
            {
                ("routes", _routes.CutFromUs), ("states", _states.CutFromUs), ("links", _links.CutFromUs), ("readings", _readings.CutFromUs),
            })
            {
                if (fromUs is { } us)
                {
                    json.WriteStringValue($"{what} from {us / 1_000_000} s on");
                }
            }

            json.WriteEndArray();
            json.WriteEndObject();
        }

        return Encoding.UTF8.GetString(stream.ToArray());
    }

    /// <summary>Each kind of event is one flat array: tenths of a millisecond since the event before, then its values.</summary>
    private void WriteEvents(Utf8JsonWriter json)
    {
        Flat(json, "frames", _frames, frame => frame.AtUs, frame => [frame.From, frame.To, frame.Type, frame.Heard, frame.Missed]);
        Flat(json, "routes", _routes.All, route => route.AtUs, route => [route.Node, route.NextHop]);
        Flat(json, "states", _states.All, state => state.AtUs, state => [state.Node, state.State]);
        Flat(json, "links", _links.All, link => link.AtUs, link => [link.A, link.B, link.Percent]);
        Flat(json, "moves", _moves.All, move => move.AtUs, move => [move.Node, Math.Round(move.X, 3), Math.Round(move.Y, 3)]);
        int index = 0;
        Flat(json, "readings", _readings.All, reading => reading.AtUs, reading =>
        {
            long deliveredUs = _deliveredUs[index++];
            return [reading.From, reading.To, deliveredUs < 0 ? -1 : (deliveredUs - reading.AtUs) / 100];
        });
        Texts(json, "faults", _faults.All);
        Texts(json, "violations", _violations.All);
    }

    private static void Flat<T>(Utf8JsonWriter json, string name, IReadOnlyList<T> events, Func<T, long> atUs, Func<T, double[]> values)
    {
        json.WriteStartArray(name);
        long before = 0;
        foreach (T each in events)
        {
            long at = atUs(each) / 100;
            json.WriteNumberValue(at - before);
            before = at;
            foreach (double value in values(each))
            {
                json.WriteNumberValue(value);
            }
        }

        json.WriteEndArray();
    }

    private static void Texts(Utf8JsonWriter json, string name, IReadOnlyList<(long AtUs, string Text)> events)
    {
        json.WriteStartArray(name);
        foreach ((long atUs, string text) in events)
        {
            json.WriteStartArray();
            json.WriteNumberValue(atUs / 1000.0);
            json.WriteStringValue(text);
            json.WriteEndArray();
        }

        json.WriteEndArray();
    }

    private static void Row(Utf8JsonWriter json, string name, IReadOnlyList<int> values)
    {
        json.WriteStartArray(name);
        foreach (int value in values)
        {
            json.WriteNumberValue(value);
        }

        json.WriteEndArray();
    }

    /// <summary>The first so many of some events, and when it was full.</summary>
    private sealed class EventList<T>(int max)
        where T : System.Runtime.CompilerServices.ITuple
    {
        private readonly List<T> _all = [];

        internal IReadOnlyList<T> All => _all;

        internal long? CutFromUs { get; private set; }

        internal void Add(T added)
        {
            if (_all.Count < max)
            {
                _all.Add(added);
            }
            else
            {
                CutFromUs ??= (long)added[0]!;
            }
        }
    }
}
