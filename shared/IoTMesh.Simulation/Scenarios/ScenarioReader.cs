using IoTMesh.Core;

namespace IoTMesh.Simulation;

/// <summary>Reads scenario files, strictly: unknown keys, wrong types and ids that do not exist are errors with file, line and key.</summary>
internal static class ScenarioReader
{
    private const double SecondsMax = 31_536_000;
    private const double ClockDriftPpmMax = 500;
    private const int PayloadBytesMin = 4;
    private const int PayloadBytesMax = 1024;
    private static readonly string[] _classes = ["control", "realtime", "normal", "bulk"];
    private static readonly string[] _faults =
        ["kill", "start", "cut", "restore", "partition", "merge", "move", "gatewayDown", "gatewayUp", "rotate", "revoke"];


    internal static Scenario Read(string file, ReadOnlySpan<byte> utf8, string directory)
    {
        JsonInput root = JsonInput.Parse(file, utf8);
        string name = root.Optional("name")?.AsString() ?? Path.GetFileNameWithoutExtension(file);
        ulong seed = (ulong)(root.Optional("seed")?.AsLong(0, long.MaxValue) ?? 1);
        double durationSeconds = root.Required("durationSeconds").AsDouble(0.001, SecondsMax);
        TopologySpec topology = TopologySpec.Read(root.Required("topology"), directory);
        List<TrafficEntry> traffic = [];
        foreach (JsonInput entry in root.Optional("traffic")?.Items() ?? [])
        {
            traffic.Add(ReadTraffic(entry, topology));
        }

        List<FaultEntry> faults = [];
        foreach (JsonInput entry in root.Optional("faults")?.Items() ?? [])
        {
            faults.Add(ReadFault(entry, topology));
        }

        double clockDriftPpm = root.Optional("clockDriftPpm")?.AsDouble(0, ClockDriftPpmMax) ?? 0;
        bool twice = root.Optional("realTimeTwice")?.AsBool() ?? false;
        RadioSpec radio = root.Optional("radio") is JsonInput radioInput ? RadioSpec.Read(radioInput, topology.Kind) : RadioSpec.Simple;
        IReadOnlyList<int>? join = ReadJoin(root.Optional("join"), topology);
        IReadOnlyList<AttackerEntry> attackers = AttackerEntry.ReadAll(root.Optional("attackers"), topology, radio);
        root.End();
        return new Scenario(name, seed, durationSeconds, topology, traffic, faults)
        {
            ClockDriftPpm = clockDriftPpm,
            RealTimeTwice = twice,
            Radio = radio,
            Join = join,
            Attackers = attackers,
        };
    }

    /// <summary>true: all nodes, null here; a list of ids; false or left out: none.</summary>
    private static IReadOnlyList<int>? ReadJoin(JsonInput? input, TopologySpec topology)
    {
        if (input is null)
        {
            return [];
        }

        return input.IsArray ? TopologySpec.ReadIds(input, topology.Nodes) : input.AsBool() ? null : [];
    }

    private static TrafficEntry ReadTraffic(JsonInput input, TopologySpec topology)
    {
        JsonInput fromInput = input.Required("from");
        IReadOnlyList<int>? from = null;
        if (!fromInput.IsString)
        {
            from = ReadSources(fromInput, input.Required("to"), topology);
        }
        else if (fromInput.AsString() != "all")
        {
            throw fromInput.Error($"expected 'all' or an array of ids, found '{fromInput.AsString()}'");
        }

        (TrafficTarget target, IReadOnlyList<int> to) = ReadTarget(input.Required("to"), from, topology);
        JsonInput? custody = input.Optional("custody");
        TrafficEntry entry = new(
            from,
            target,
            to,
            input.Required("periodSeconds").AsDouble(0.001, SecondsMax),
            input.Optional("payloadBytes")?.AsInt(PayloadBytesMin, PayloadBytesMax) ?? 20,
            input.Optional("startSeconds")?.AsDouble(0, SecondsMax) ?? Scenario.DefaultStartSeconds,
            input.Optional("confirmed")?.AsBool() ?? false,
            custody?.AsBool() ?? false,
            ReadClass(input.Optional("class")))
        {
            ViaServer = input.Optional("viaServer")?.AsBool() ?? false,
            Ask = ReadQuestion(input.Optional("ask")),
        };
        if (entry.Custody && (target != TrafficTarget.Gateway || entry.Confirmed))
        {
            throw custody!.Error("readings in custody go to 'gateway', and are confirmed by it in any case");
        }

        if (entry.Custody && entry.PayloadBytes > new MeshConfig().MaxReadingLength)
        {
            throw input.Required("payloadBytes").Error($"a reading in custody holds at most {new MeshConfig().MaxReadingLength} bytes");
        }

        if (entry.ViaServer && (entry.Confirmed || target is TrafficTarget.Gateway or TrafficTarget.All))
        {
            throw input.Required("viaServer").Error("a server passes on unconfirmed messages to 'any' or to ids");
        }

        if (entry.Ask != Question.None && (entry.ViaServer || entry.Confirmed || target is TrafficTarget.Gateway or TrafficTarget.All))
        {
            throw input.Required("ask").Error("questions go to 'any' or to ids, neither confirmed nor through a server");
        }

        if (entry.Confirmed && target == TrafficTarget.All)
        {
            throw input.Error("messages to 'all' cannot be confirmed");
        }

        if (target == TrafficTarget.All && entry.PayloadBytes > new MeshConfig().MaxPayloadLength)
        {
            throw input.Required("payloadBytes").Error($"a message to 'all' holds at most {new MeshConfig().MaxPayloadLength} bytes");
        }

        input.End();
        return entry;
    }

    private static MeshClass ReadClass(JsonInput? input)
    {
        int index = input is null ? (int)MeshClass.Normal : Array.IndexOf(_classes, input.AsString());
        return index >= 0 ? (MeshClass)index : throw input!.Error($"expected one of {string.Join(", ", _classes)}, found '{input.AsString()}'");
    }

    private static Question ReadQuestion(JsonInput? input) => input?.AsString() switch
    {
        null => Question.None,
        "ping" => Question.Ping,
        "trace" => Question.Trace,
        string other => throw input.Error($"expected one of ping, trace, found '{other}'"),
    };

    /// <summary>A source may stand several times in a list that pairs with another; a gateway is no source of messages to gateways.</summary>
    private static IReadOnlyList<int> ReadSources(JsonInput input, JsonInput to, TopologySpec topology)
    {
        bool isPaired = to.IsArray && to.Items().Count > 1;
        IReadOnlyList<int> from = isPaired
            ? [.. input.Items().Select(item => item.AsInt(1, topology.Nodes))]
            : TopologySpec.ReadIds(input, topology.Nodes);
        for (int i = 0; i < from.Count; i++)
        {
            bool isGateway = topology.Gateways is null ? from[i] == 1 : topology.Gateways.Contains(from[i]);
            if (isGateway && to.IsString && to.AsString() == "gateway")
            {
                throw input.Items()[i].Error($"node {from[i]} is a gateway itself");
            }
        }

        return from;
    }

    private static (TrafficTarget Target, IReadOnlyList<int> To) ReadTarget(JsonInput input, IReadOnlyList<int>? from, TopologySpec topology)
    {
        if (input.IsString)
        {
            return input.AsString() switch
            {
                "gateway" => (TrafficTarget.Gateway, []),
                "any" when topology.Nodes > 1 => (TrafficTarget.Any, []),
                "all" => (TrafficTarget.All, []),
                _ => throw input.Error($"expected 'gateway', 'any', 'all' or an array of ids, found '{input.AsString()}'"),
            };
        }

        // The same destination may serve several sources.
        List<int> to = [.. input.Items().Select(item => item.AsInt(1, topology.Nodes))];
        if (to.Count != 1 && to.Count != from?.Count)
        {
            throw input.Error("expected one id, or as many as 'from' has");
        }

        for (int i = 0; i < (from?.Count ?? 0); i++)
        {
            if (to[to.Count == 1 ? 0 : i] == from![i])
            {
                throw input.Error($"node {from[i]} would send to itself");
            }
        }

        return (TrafficTarget.Nodes, to);
    }

    private static FaultEntry ReadFault(JsonInput input, TopologySpec topology)
    {
        double atSeconds = input.Required("atSeconds").AsDouble(0, SecondsMax);
        string[] found = [.. _faults.Where(key => input.Optional(key) is not null)];
        if (found.Length != 1)
        {
            input.End();
            throw input.Error($"expected exactly one of {string.Join(", ", _faults)}");
        }

        JsonInput value = input.Required(found[0]);
        FaultKind kind = (FaultKind)Array.IndexOf(_faults, found[0]);
        FaultEntry fault = new(atSeconds, kind, 0, 0, default, []);
        fault = kind switch
        {
            FaultKind.Cut or FaultKind.Restore => ReadPair(value, fault, topology),
            FaultKind.Partition => fault with { Groups = ReadGroups(value, topology) },
            FaultKind.Merge => value.AsBool() ? fault : throw value.Error("expected true"),
            FaultKind.Move => ReadMove(value, fault, topology),
            _ => fault with { A = value.AsInt(1, topology.Nodes) },
        };
        bool isGateway = topology.Gateways is null ? fault.A == 1 : topology.Gateways.Contains(fault.A);
        if (kind is FaultKind.GatewayDown or FaultKind.GatewayUp or FaultKind.Rotate && !isGateway)
        {
            throw value.Error($"node {fault.A} is no gateway");
        }

        if (kind is FaultKind.Revoke && isGateway)
        {
            throw value.Error($"node {fault.A} is a gateway: it has the keys of all");
        }

        input.End();
        return fault;
    }

    private static FaultEntry ReadPair(JsonInput value, FaultEntry fault, TopologySpec topology)
    {
        IReadOnlyList<JsonInput> ends = value.Items(2);
        fault = fault with { A = ends[0].AsInt(1, topology.Nodes), B = ends[1].AsInt(1, topology.Nodes) };
        return fault.A != fault.B ? fault : throw value.Error("a link needs two nodes");
    }

    private static FaultEntry ReadMove(JsonInput value, FaultEntry fault, TopologySpec topology)
    {
        if (topology.Kind == TopologyKind.Trace)
        {
            throw value.Error("nodes of measured links cannot move: their links do not follow from places");
        }

        IReadOnlyList<JsonInput> cells = value.Items(3);
        RadioPosition position = new(cells[1].AsDouble(-1e6, 1e6), cells[2].AsDouble(-1e6, 1e6));
        return fault with { A = cells[0].AsInt(1, topology.Nodes), Position = position };
    }

    private static List<IReadOnlyList<int>> ReadGroups(JsonInput value, TopologySpec topology)
    {
        List<IReadOnlyList<int>> groups = [];
        HashSet<int> seen = [];
        foreach (JsonInput item in value.Items())
        {
            IReadOnlyList<int> group = TopologySpec.ReadIds(item, topology.Nodes);
            foreach (int id in group)
            {
                if (!seen.Add(id))
                {
                    throw item.Error($"node {id} is in two groups");
                }
            }

            groups.Add(group);
        }

        return groups;
    }
}
