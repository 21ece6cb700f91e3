using IoTMesh.Core;

namespace IoTMesh.Simulation;

/// <summary>
/// A radio that does not keep to the protocol: around a stolen node's core, or without one. It sees every frame in range, whomever it is for.
/// </summary>
internal abstract class Attacker(AttackerEntry entry, AttackerPort port)
{
    internal AttackerEntry Entry { get; } = entry;

    internal bool IsActive { get; private set; }

    /// <summary>Frames of others that it took over and dropped.</summary>
    internal long Swallowed { get; private protected set; }

    protected AttackerPort Port { get; } = port;

    internal static Attacker Create(AttackerEntry entry, AttackerPort port) => entry.Kind switch
    {
        AttackKind.Wormhole => new WormholeEnd(entry, port),
        AttackKind.Replay => new ReplayAttacker(entry, port),
        AttackKind.Flood => new FloodAttacker(entry, port),
        AttackKind.Exhaust => new ExhaustAttacker(entry, port),
        AttackKind.Sybil => new SybilAttacker(entry, port),
        _ => new TurncoatAttacker(entry, port),
    };

    internal void Begin()
    {
        IsActive = true;
        OnBegin();
    }

    /// <summary>Its own core sends a frame, which it may change; false keeps it from the air, as if it had been sent.</summary>
    internal virtual bool Sends(MeshOutput output) => true;

    /// <summary>A frame on air; false keeps it from its own core.</summary>
    /// <param name="isForOthers">Its link destination is another node.</param>
    internal virtual bool Hears(ReadOnlySpan<byte> frame, bool isForOthers) => true;

    /// <summary>A time asked for has come.</summary>
    internal virtual void Called()
    {
    }

    protected virtual void OnBegin()
    {
    }
}

/// <summary>What an attacker can do to the virtual world.</summary>
internal sealed class AttackerPort(VirtualMesh mesh, int node, HopForger forger, SeededRandom random)
{
    internal HopForger Forger { get; } = forger;

    internal SeededRandom Random { get; } = random;

    internal ushort Address { get; } = Topology.AddressOf(node);

    internal MeshNode? Core => mesh.CoreOf(node);

    internal long NowUs => mesh.NowUs;

    /// <summary>The network hint that everybody sees on air.</summary>
    internal int Hint { get; } = forger.Hint;

    /// <summary>One of the nodes in range, in turn.</summary>
    internal ushort NeighborAt(int turn) => mesh.NeighborAt(node, turn);

    /// <summary>Puts a frame on air, to everyone in range.</summary>
    internal void Send(ReadOnlySpan<byte> frame) => mesh.SendHostile(node, frame);

    /// <summary>Puts a frame on air at another place.</summary>
    internal void SendAt(int place, ReadOnlySpan<byte> frame) => mesh.SendHostile(place, frame);

    internal void CallIn(long us) => mesh.CallAttacker(node, us);

    /// <summary>Gives its own core a frame.</summary>
    internal ParseError Whisper(byte[] frame, int count) => mesh.Whisper(node, frame, count);

    /// <summary>Ends its own core: from now on it makes its frames itself.</summary>
    internal void EndCore() => mesh.EndCore(node);
}
