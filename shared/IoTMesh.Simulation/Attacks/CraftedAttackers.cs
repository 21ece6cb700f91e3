using IoTMesh.Core;

namespace IoTMesh.Simulation;

/// <summary>Several made-up nodes, each next to every gateway, that acknowledge and drop what they are handed.</summary>
internal sealed class SybilAttacker : Attacker
{
    private const ushort FirstAddress = 0x4000;
    private const long AnnounceUs = 1_000_000;
    private readonly FalseNode[] _nodes;
    private readonly GatewayRumors _rumors = new();

    internal SybilAttacker(AttackerEntry entry, AttackerPort port)
        : base(entry, port)
    {
        _nodes = [.. Enumerable.Range(0, entry.Identities).Select(i => new FalseNode(port, (ushort)(FirstAddress + (entry.Node * 64) + i), 1))];
    }

    protected override void OnBegin() => Port.CallIn(AnnounceUs);

    internal override bool Hears(ReadOnlySpan<byte> frame, bool isForOthers)
    {
        _rumors.Hears(frame);
        foreach (FalseNode node in _nodes)
        {
            node.Hears(frame);
        }

        Swallowed = _nodes.Sum(node => node.Taken);
        return !isForOthers;
    }

    internal override void Called()
    {
        foreach (FalseNode node in _nodes)
        {
            node.Announce(_rumors.Rows);
        }

        Port.CallIn(AnnounceUs);
    }
}

/// <summary>Messages of made-up origins for the gateway, handed to every neighbor in turn, and every fourth time a broadcast.</summary>
internal sealed class FloodAttacker(AttackerEntry entry, AttackerPort port) : Attacker(entry, port)
{
    private const ushort OriginsFirst = 0x2000;
    private const int Origins = 256;
    private const int BodyLength = 60;
    private const uint CounterAhead = 64;
    private readonly MessageHeader _header = new();
    private readonly SortedSet<ushort> _neighbors = [];
    private FalseNode? _self;
    private int _turn;

    protected override void OnBegin()
    {
        // It goes on under its own name, with counters beyond those that its own program used.
        long sent = Port.Core?.Counters.FramesSent ?? 0;
        Port.EndCore();
        _self = new FalseNode(Port, Port.Address, (uint)sent + CounterAhead);
        Port.CallIn(1);
    }

    internal override bool Hears(ReadOnlySpan<byte> frame, bool isForOthers)
    {
        if (frame.Length >= FrameFormat.WideLength && FrameFormat.GetType(frame[0]) == FrameFormat.TypeBeacon)
        {
            _neighbors.Add(FalseNode.U16(frame, FrameFormat.OffsetSource));
        }

        _self?.Hears(frame);
        return false;
    }

    internal override void Called()
    {
        if (_turn % 64 == 0)
        {
            _self!.Announce([]);
        }

        _header.Kind = MessageKind.Datagram;
        _header.HopLimit = 63;
        _header.Origin = (ushort)(OriginsFirst + Port.Random.NextInt(Origins));
        _header.IsWide = true;
        _header.Counter = Port.Random.NextUInt32();
        _header.Boot = 1;
        bool isFlood = ++_turn % 4 == 0 || _neighbors.Count == 0;
        _header.Destination = isFlood ? MeshAddress.All : MeshAddress.AnyGateway;
        _self!.SendMessage(isFlood ? MeshAddress.All : _neighbors.ElementAt(_turn % _neighbors.Count), _header, BodyLength);
        Port.CallIn((long)(1e6 / Entry.PerSecond));
    }
}

/// <summary>
/// Made-up neighbors by the hundred, each with made-up destinations and gateways, some of which answer challenges; and joiners that ask and ask.
/// </summary>
internal sealed class ExhaustAttacker(AttackerEntry entry, AttackerPort port) : Attacker(entry, port)
{
    private const ushort AddressFirst = 0x6000;
    private const int Addresses = 512;
    private const ushort DestinationFirst = 0x8000;
    private const int Rows = 30;
    private readonly FalseNode?[] _nodes = new FalseNode?[Addresses];
    private readonly byte[] _join = new byte[JoinFormat.HeaderLength + JoinFormat.AskLength];
    private int _turn;

    protected override void OnBegin() => Port.CallIn(1);

    internal override bool Hears(ReadOnlySpan<byte> frame, bool isForOthers)
    {
        int index = frame.Length < FrameFormat.NarrowLength ? -1 : FalseNode.U16(frame, FrameFormat.OffsetDestination) - AddressFirst;
        if (index is >= 0 and < Addresses)
        {
            _nodes[index]?.Hears(frame);
        }

        return !isForOthers;
    }

    internal override void Called()
    {
        _turn++;
        if (_turn % 2 == 0)
        {
            int index = Port.Random.NextInt(Addresses);
            FalseNode node = _nodes[index] ??= new FalseNode(Port, (ushort)(AddressFirst + index), 1);
            node.Announce([.. Enumerable.Range(0, Rows).Select(i =>
                ((ushort)(DestinationFirst + Port.Random.NextInt(0x6000)), (ushort)Port.Random.NextUInt32(), i % 4 == 0))]);
        }
        else
        {
            SendJoin();
        }

        Port.CallIn((long)(1e6 / Entry.PerSecond));
    }

    private void SendJoin()
    {
        bool isAsk = _turn % 4 == 1;
        _join[0] = FrameFormat.MakeKind(FrameFormat.TypeJoin, isAsk ? JoinFormat.StepUp : JoinFormat.StepSolicit);
        _join[1] = FrameFormat.MakeNetwork(Port.Hint, 0, 0);
        Bytes.PutU16(_join, FrameFormat.OffsetSource, (ushort)(AddressFirst + Port.Random.NextInt(Addresses)));
        Bytes.PutU16(_join, FrameFormat.OffsetDestination, isAsk ? Port.NeighborAt(_turn) : MeshAddress.All);
        Port.Random.Fill(_join.AsSpan(JoinFormat.HeaderLength));
        _join[JoinFormat.HeaderLength] = JoinFormat.Ask;
        Port.Send(_join.AsSpan(0, isAsk ? _join.Length : JoinFormat.HeaderLength));
    }
}
