using System.Text.Json;

namespace IoTMesh.Simulation;

/// <summary>What an attacker does. docs/attacks.md.</summary>
public enum AttackKind
{
    /// <summary>Claims to be next to every gateway, acknowledges what others hand it and drops it.</summary>
    Sinkhole,

    /// <summary>Claims to be next to every gateway, at ever newer seqnos, and passes everything on.</summary>
    Rank,

    /// <summary>Two radios with a cable: what one hears the other sends. Data is heard and not passed on.</summary>
    Wormhole,

    /// <summary>Behaves well but for a share of what others hand it, which it acknowledges and drops.</summary>
    Selective,

    /// <summary>Sends again what it has heard, a moment and half a minute later.</summary>
    Replay,

    /// <summary>Messages of made-up origins, and broadcasts, as many as it can.</summary>
    Flood,

    /// <summary>Made-up neighbors, destinations and joiners, to fill tables.</summary>
    Exhaust,

    /// <summary>Tells a time that is an hour off, as if a gateway had just said so.</summary>
    Clock,

    /// <summary>Several made-up nodes at once, each of them a sinkhole.</summary>
    Sybil,
}

/// <summary>A node that has fallen to an attacker (insider), or a radio that an attacker has put in a node's place (outsider).</summary>
/// <param name="Node">Its id; as an outsider no node of the site is there.</param>
/// <param name="FromSeconds">When it begins; an insider behaves well until then.</param>
/// <param name="Insider">It has what a stolen node has: the hop key and its own keys.</param>
public sealed record AttackerEntry(int Node, AttackKind Kind, double FromSeconds, bool Insider)
{
    private const double SecondsMax = 31_536_000;
    private const double PerSecondMax = 2_000;
    private const int IdentitiesMax = 64;

    /// <summary>The other end of a wormhole.</summary>
    public int Peer { get; init; }

    /// <summary>Of what others hand it, the share that it drops.</summary>
    public double Share { get; init; } = 1;

    /// <summary>Frames that it makes up or repeats, a second.</summary>
    public double PerSecond { get; init; } = 50;

    /// <summary>Nodes that it makes up.</summary>
    public int Identities { get; init; } = 4;

    /// <summary>The places that it holds: one, of a wormhole two.</summary>
    public IEnumerable<int> Places => Peer == 0 ? [Node] : [Node, Peer];

    private static bool IsInsiderUsual(AttackKind kind) => kind is not (AttackKind.Wormhole or AttackKind.Replay or AttackKind.Exhaust);

    private static bool NeedsKey(AttackKind kind) => kind is AttackKind.Sinkhole or AttackKind.Rank or AttackKind.Selective or AttackKind.Clock;

    internal static IReadOnlyList<AttackerEntry> ReadAll(JsonInput? list, TopologySpec topology, RadioSpec radio)
    {
        List<AttackerEntry> entries = [];
        HashSet<int> places = [];
        foreach (JsonInput item in list?.Items() ?? [])
        {
            AttackerEntry entry = Read(item, topology);
            if (radio.IsPhysical)
            {
                throw item.Error("attackers need the simple radio model");
            }

            foreach (int place in entry.Places)
            {
                bool isGateway = topology.Gateways is null ? place == 1 : topology.Gateways.Contains(place);
                if (isGateway || topology.Sleepy.Contains(place) || !places.Add(place))
                {
                    string what = isGateway ? "a gateway, which has the keys of all" : "a sleepy leaf or an attacker already";
                    throw item.Error($"node {place} is {what}");
                }
            }

            entries.Add(entry);
        }

        return entries;
    }

    private static AttackerEntry Read(JsonInput input, TopologySpec topology)
    {
        JsonInput word = input.Required("kind");
        if (!Enum.TryParse(word.AsString(), ignoreCase: true, out AttackKind kind) || WordOf(kind) != word.AsString())
        {
            string words = string.Join(", ", Enum.GetValues<AttackKind>().Select(WordOf));
            throw word.Error($"expected one of {words}, found '{word.AsString()}'");
        }

        JsonInput? insider = input.Optional("insider");
        AttackerEntry usual = new(0, kind, 0, IsInsiderUsual(kind));
        AttackerEntry entry = new(
            input.Required("node").AsInt(1, topology.Nodes),
            kind,
            input.Required("fromSeconds").AsDouble(0, SecondsMax),
            insider?.AsBool() ?? usual.Insider)
        {
            Peer = kind == AttackKind.Wormhole ? input.Required("peer").AsInt(1, topology.Nodes) : 0,
            Share = input.Optional("share")?.AsDouble(0, 1) ?? (kind == AttackKind.Selective ? 0.5 : 1),
            PerSecond = input.Optional("perSecond")?.AsDouble(0.1, PerSecondMax) ?? usual.PerSecond,
            Identities = input.Optional("identities")?.AsInt(1, IdentitiesMax) ?? usual.Identities,
        };
        input.End();
        return entry.Insider || !NeedsKey(kind) ? entry : throw insider!.Error($"a {WordOf(kind)} attack needs the keys of a stolen node");
    }

    internal static string WordOf(AttackKind kind) => kind.ToString().ToLowerInvariant();

    internal static void Write(Utf8JsonWriter json, AttackerEntry entry)
    {
        json.WriteNumber("node", entry.Node);
        json.WriteString("kind", WordOf(entry.Kind));
        json.WriteNumber("fromSeconds", entry.FromSeconds);
        json.WriteBoolean("insider", entry.Insider);
        if (entry.Kind == AttackKind.Wormhole)
        {
            json.WriteNumber("peer", entry.Peer);
        }

        json.WriteNumber("share", entry.Share);
        json.WriteNumber("perSecond", entry.PerSecond);
        json.WriteNumber("identities", entry.Identities);
    }
}
