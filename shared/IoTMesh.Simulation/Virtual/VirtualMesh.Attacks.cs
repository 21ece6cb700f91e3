using IoTMesh.Core;

namespace IoTMesh.Simulation;

/// <content>Radios that do not keep to the protocol.</content>
public sealed partial class VirtualMesh
{
    private const long HostileAheadUs = 500_000;
    private const sbyte WhisperDbm = -50;
    private const uint StolenEpoch = 1;
    private int _attackerCount;

    /// <summary>Frames that attackers made up or repeated; not in <see cref="FramesOnAir"/>.</summary>
    public long HostileFrames { get; private set; }

    /// <summary>Frames of others that attackers took over and dropped.</summary>
    public long SwallowedFrames => _nodes.Sum(node => node.Attacker?.Swallowed ?? 0);

    /// <summary>Turns a node, or its place, over to an attacker from its time on.</summary>
    internal void AddAttacker(AttackerEntry entry)
    {
        Attacker first = AddAttackerAt(entry, entry.Node);
        if (entry.Peer != 0)
        {
            WormholeEnd other = (WormholeEnd)AddAttackerAt(entry with { Node = entry.Peer, Peer = entry.Node }, entry.Peer);
            ((WormholeEnd)first).Connect(other);
        }
    }

    private Attacker AddAttackerAt(AttackerEntry entry, int place)
    {
        _attackerCount++;
        SeededRandom random = new(_seed, 0x6576696C ^ ((ulong)place << 40));
        byte[] key = new byte[KeySchedule.KeyLength];
        random.Fill(key);
        MeshKeys stolen = _site.KeysOf(place, isGateway: false);
        HopForger forger = new(new PlatformCrypto(), entry.Insider ? stolen.NetworkKey : key, StolenEpoch, stolen.NetworkId);
        Attacker attacker = Attacker.Create(entry, new AttackerPort(this, place, forger, random));
        _nodes[place - 1].Attacker = attacker;
        Medium.Outlaw(place);
        _events.Add((long)(entry.FromSeconds * 1e6), EventKind.Attack, place);
        return attacker;
    }

    private void HandleAttack(in SimulationEvent happened)
    {
        if (happened.Kind == EventKind.HostileArrival)
        {
            HandleHostileArrival(happened.A);
            return;
        }

        Attacker attacker = _nodes[happened.A - 1].Attacker!;
        if (attacker.IsActive)
        {
            attacker.Called();
        }
        else
        {
            Medium.Start(happened.A);
            attacker.Begin();
        }
    }

    internal void CallAttacker(int node, long inUs) => _events.Add(NowUs + inUs, EventKind.Attack, node);

    internal void EndCore(int node)
    {
        Kill(node);
        Medium.Start(node);
    }

    internal ushort NeighborAt(int node, int turn)
    {
        ReadOnlySpan<MediumLink> links = Medium.LinksFrom(node);
        return links.Length == 0 ? MeshAddress.All : Topology.AddressOf(links[turn % links.Length].To);
    }

    internal ParseError Whisper(int node, byte[] frame, int count)
    {
        VirtualNode entry = _nodes[node - 1];
        return entry.Core?.HandleFrame(LocalMs(entry), frame, 0, count, WhisperDbm) ?? ParseError.NotForMe;
    }

    /// <summary>A frame of an attacker, to everyone in range: its link destination is in it. What its radio has no time for is left out.</summary>
    internal void SendHostile(int node, ReadOnlySpan<byte> frame)
    {
        VirtualNode entry = _nodes[node - 1];
        if (entry.BusyUntilUs - NowUs > HostileAheadUs)
        {
            return;
        }

        HostileFrames++;
        MeshOutput output = new(frame.Length) { Length = frame.Length, LinkDestination = MeshAddress.All };
        frame.CopyTo(output.Buffer);
        int slot = _flights.Take(node, entry.Incarnation, output);
        entry.BusyUntilUs = Math.Max(NowUs, entry.BusyUntilUs) + _options.Airtime.Of(frame.Length);
        _events.Add(entry.BusyUntilUs + _options.LatencyUs, EventKind.HostileArrival, slot);
    }

    private void HandleHostileArrival(int slot)
    {
        Flight flight = _flights[slot];
        ReadOnlySpan<MediumLink> links = Medium.LinksFrom(flight.From);
        for (int i = 0; i < links.Length; i++)
        {
            MediumLink link = links[i];
            Fate fate = Medium.Passes(link) ? HandOver(flight, _nodes[link.To - 1], link.RssiDbm) : Fate.Lost;
            _receptions.Add(new Reception((ushort)link.To, link.RssiDbm, fate));
        }

        Tell(flight, isCutShort: false);
        _flights.Free(slot);
    }

    /// <summary>Attackers in range hear what is for others, too.</summary>
    private void Overhear(Flight flight)
    {
        if (_attackerCount == 0 || Topology.IsBroadcast(flight.Destination))
        {
            return;
        }

        ReadOnlySpan<MediumLink> links = Medium.LinksFrom(flight.From);
        for (int i = 0; i < links.Length; i++)
        {
            MediumLink link = links[i];
            VirtualNode node = _nodes[link.To - 1];
            if (node.Attacker is not null && link.To != flight.Destination && Medium.Passes(link))
            {
                IsForCore(flight, node, isForOthers: true);
            }
        }
    }

    private static bool IsForCore(Flight flight, VirtualNode receiver, bool isForOthers)
    {
        return receiver.Attacker is not { IsActive: true } attacker || attacker.Hears(flight.Frame.AsSpan(0, flight.Length), isForOthers);
    }

    private bool IsForAir(VirtualNode node, MeshOutput output)
    {
        if (node.Attacker is not { IsActive: true } attacker || attacker.Sends(output))
        {
            return true;
        }

        node.Core!.HandleTransmitResult(LocalMs(node), output.Token, true);
        return false;
    }
}
