using IoTMesh.Core;

namespace IoTMesh.Core.Tests;

/// <summary>A handful of nodes on a lossless or lossy medium under virtual time; the smallest thing that runs the protocol.</summary>
internal sealed class MiniMesh : IDeviceKeys
{
    internal static readonly byte[] SiteSecret = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16];
    internal static readonly byte[] NetworkKey = SiteKeys.CreateNetworkKey(new PlatformCrypto(), SiteSecret, 0);
    private readonly PlatformCrypto _crypto = new();
    private readonly PriorityQueue<(int Node, byte[] Frame), (long, int)> _air = new();
    private readonly HashSet<(int, int)> _links = [];
    private readonly HashSet<int> _gateways = [];
    private readonly Random _random;
    private int _sequence;

    internal readonly Dictionary<int, MeshNode> Nodes = [];
    internal readonly Dictionary<int, byte[]> Stored = [];
    internal readonly Dictionary<(int Node, byte Record), byte[]> Logs = [];
    internal bool StoreWorks = true;
    internal readonly List<(int At, ushort Origin, byte Port, byte[] Payload, uint Seq, ushort Boot, int Hops)> Delivered = [];
    internal readonly List<(long MeasuredMs, byte Value)> Times = [];
    internal readonly List<(ushort Origin, int Hops, int RoundTripMs, byte[] Bytes)> Answers = [];
    internal readonly List<(int At, int Token, bool Success)> Completed = [];
    internal readonly List<(int From, byte[] Frame)> Frames = [];
    internal readonly List<(int At, ushort Device, JoinVerdict Verdict, ushort Proxy)> Joins = [];
    internal readonly List<(int At, ushort Device, uint Epoch)> KeysTaken = [];
    internal readonly Dictionary<ushort, JoinVerdict> Verdicts = [];
    internal double Loss;
    internal bool Commits = true;
    internal Action<MeshConfig>? Configure { get; init; }

    /// <summary>Changes the keys that a node is provisioned with.</summary>
    internal Action<int, MeshKeys>? ConfigureKeys { get; init; }

    /// <summary>Sees each frame before the air does; true swallows it.</summary>
    internal Func<int, byte[], bool>? Intercept;

    internal MiniMesh(int seed = 1)
    {
        _random = new Random(seed);
    }

    internal long NowMs { get; private set; } = 1000;

    internal void Link(int a, int b)
    {
        _links.Add((a, b));
        _links.Add((b, a));
    }

    internal void Cut(int a, int b)
    {
        _links.Remove((a, b));
        _links.Remove((b, a));
    }

    internal void Line(int count)
    {
        for (int i = 1; i <= count; i++)
        {
            Start(i, i == 1);
            if (i > 1)
            {
                Link(i - 1, i);
            }
        }
    }

    internal MeshNode Start(int address, bool isGateway = false)
    {
        MeshNode node = Make(address, isGateway);
        Begin(address);
        return node;
    }

    internal void Begin(int address)
    {
        Nodes[address].Start(NowMs);
        Drain(address);
    }

    /// <summary>A node that is not started yet: what was stored may be restored.</summary>
    internal MeshNode Make(int address, bool isGateway = false)
    {
        var config = new MeshConfig { Address = (ushort)address, IsGateway = isGateway };
        Configure?.Invoke(config);
        var keys = new MeshKeys
        {
            NetworkKey = NetworkKey,
            DeviceKey = isGateway ? null : SiteKeys.CreateDeviceKey(_crypto, SiteSecret, (ushort)address),
            PairwiseShare = PairwiseKeys.CreateShare(_crypto, SiteSecret, (ushort)address),
            Devices = isGateway ? this : null,
        };
        ConfigureKeys?.Invoke(address, keys);
        keys.Restore(Logs.GetValueOrDefault((address, StoreRecord.Keys)));
        if (isGateway)
        {
            _gateways.Add(address);
        }

        var node = new MeshNode(config, keys, _crypto, (uint)(address * 7919), Stored.GetValueOrDefault(address));
        Nodes[address] = node;
        return node;
    }

    internal void Kill(int address)
    {
        Nodes.Remove(address);
    }

    public bool TryGetDeviceKey(ushort address, byte[] key)
    {
        if (_gateways.Contains(address))
        {
            return false;
        }

        SiteKeys.CreateDeviceKey(_crypto, SiteSecret, address).CopyTo(key, 0);
        return true;
    }

    public JoinVerdict MayJoin(ushort address)
    {
        return Verdicts.GetValueOrDefault(address);
    }

    public bool TryGetNetworkKey(uint epoch, byte[] key)
    {
        SiteKeys.CreateNetworkKey(_crypto, SiteSecret, epoch).CopyTo(key, 0);
        return true;
    }

    internal void Run(long milliseconds)
    {
        long end = NowMs + milliseconds;
        while (true)
        {
            long next = end;
            foreach (MeshNode node in Nodes.Values)
            {
                next = Math.Min(next, Math.Max(NowMs, node.NextDeadlineMs));
            }

            if (_air.TryPeek(out _, out (long At, int) key))
            {
                next = Math.Min(next, key.At);
            }

            NowMs = next;
            if (NowMs >= end)
            {
                return;
            }

            Step();
        }
    }

    private void Step()
    {
        while (_air.TryPeek(out var item, out (long At, int) key) && key.At <= NowMs)
        {
            _air.Dequeue();
            if (Nodes.TryGetValue(item.Node, out MeshNode? node) && !node.MaySleep)
            {
                node.HandleFrame(NowMs, item.Frame, 0, item.Frame.Length, -60);
                Drain(item.Node);
            }
        }

        foreach (int address in Nodes.Keys.ToArray())
        {
            if (Nodes[address].NextDeadlineMs <= NowMs)
            {
                Nodes[address].HandleTimeout(NowMs);
                Drain(address);
            }
        }
    }

    internal void Drain(int address)
    {
        MeshNode node = Nodes[address];
        var output = new MeshOutput(node.Config);
        while (node.Poll(output))
        {
            switch (output.Kind)
            {
                case OutputKind.Transmit:
                    Transmit(address, output);
                    node.HandleTransmitResult(NowMs, output.Token, true);
                    break;
                case OutputKind.Store:
                    Store(address, output);
                    node.HandleStored(NowMs, output.Token, StoreWorks || output.Record == StoreRecord.Counters);
                    break;
                case OutputKind.Deliver:
                    Delivered.Add((address, output.Origin, output.Port, output.Buffer.AsSpan(0, output.Length).ToArray(),
                        output.ReadingSeq, output.Boot, output.Hops));
                    if (output.IsReading)
                    {
                        Times.Add((output.MeasuredUptimeMs, output.Buffer[0]));
                    }

                    if (output.IsReading && Commits)
                    {
                        node.ReleaseCustody(NowMs, output.Origin, output.Boot, output.ReadingSeq);
                    }

                    break;
                case OutputKind.Diagnosis:
                    Answers.Add((output.Origin, output.Hops, output.RoundTripMs, output.Buffer[..output.Length]));
                    break;
                case OutputKind.Joined:
                    Joins.Add((address, output.Destination, output.Verdict, output.Origin));
                    break;
                case OutputKind.KeyTaken:
                    KeysTaken.Add((address, output.Destination, output.Epoch));
                    break;
                case OutputKind.SendCompleted:
                    Completed.Add((address, output.Token, output.Success));
                    break;
            }
        }
    }

    private void Store(int address, MeshOutput output)
    {
        byte[] bytes = output.Buffer.AsSpan(0, output.Length).ToArray();
        if (output.Record == StoreRecord.Counters)
        {
            Stored[address] = bytes;
        }
        else if (StoreWorks)
        {
            byte[] before = output.IsAppend ? Logs.GetValueOrDefault((address, output.Record), []) : [];
            Logs[(address, output.Record)] = [.. before, .. bytes];
        }
    }

    /// <summary>Starts a node again with what it stored, as its assembly does.</summary>
    internal MeshNode Reboot(int address)
    {
        MeshNode node = Make(address);
        foreach (((int of, byte record), byte[] log) in Logs.OrderBy(l => CustodyLog.NumberOf(l.Value)))
        {
            if (of == address && record >= StoreRecord.Custody)
            {
                node.RestoreCustody(record, log);
            }
        }

        Begin(address);
        return node;
    }

    private void Transmit(int from, MeshOutput output)
    {
        byte[] frame = output.Buffer.AsSpan(0, output.Length).ToArray();
        Frames.Add((from, frame));
        if (Intercept != null && Intercept(from, frame))
        {
            return;
        }

        foreach (int to in Nodes.Keys)
        {
            bool addressed = output.LinkDestination == MeshAddress.All || output.LinkDestination == to;
            if (to != from && addressed && _links.Contains((from, to)) && _random.NextDouble() >= Loss)
            {
                _air.Enqueue((to, frame), (NowMs + 2, _sequence++));
            }
        }
    }
}
