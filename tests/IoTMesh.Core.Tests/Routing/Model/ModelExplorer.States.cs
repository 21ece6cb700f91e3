using System.Runtime.InteropServices;

namespace IoTMesh.Core.Tests.Routing.Model;

/// <content>States as bytes, and which of them cover which.</content>
internal sealed partial class ModelExplorer
{
    /// <summary>
    /// False where the same tables were reached before with no less that was ever said and no more of the bounds used up: everything
    /// that can happen from here can happen from there.
    /// </summary>
    private bool IsNew()
    {
        UInt128 key = KeyOf(_next);
        if (!_visited.TryGetValue(key, out List<Reach>? before))
        {
            _visited.Add(key, before = []);
        }

        Reach now = ReachOf(_next);
        if (before.Exists(other => other.Covers(now)))
        {
            return false;
        }

        before.RemoveAll(other => now.Covers(other));
        before.Add(now);
        return true;
    }

    /// <summary>False where a state that covers this one was reached since.</summary>
    private bool IsUncovered(byte[] state) => _visited[KeyOf(state)].Contains(ReachOf(state));

    private UInt128 KeyOf(byte[] state) => HashOf(state.AsSpan(0, _saidAt - Budgets));

    private Reach ReachOf(byte[] state)
    {
        ReadOnlySpan<ulong> said = MemoryMarshal.Cast<byte, ulong>(state.AsSpan(_saidAt));
        return new Reach(BitConverter.ToUInt32(state, _saidAt - Budgets), said[0], said[1], said[2], said[3]);
    }

    private void SaveNode(int node)
    {
        if (node != 0)
        {
            _nodes[node].Save(_next, (node - 1) * _nodeLength);
        }
    }

    private void LoadNode(byte[] state, int node)
    {
        if (node != 0)
        {
            _nodes[node].Load(state, (node - 1) * _nodeLength);
        }
    }

    private void SaveShared()
    {
        int at = _saidAt - Budgets - 2;
        _next[at] = _seqNo;
        _next[at + 1] = _destinationBoot;
        _used.CopyTo(_next, at + 2);
        MemoryMarshal.AsBytes<ulong>(_said).CopyTo(_next.AsSpan(_saidAt));
    }

    private void LoadShared(byte[] state)
    {
        int at = _saidAt - Budgets - 2;
        _seqNo = state[at];
        _destinationBoot = state[at + 1];
        Array.Copy(state, at + 2, _used, 0, Budgets);
        state.AsSpan(_saidAt).CopyTo(MemoryMarshal.AsBytes<ulong>(_said));
    }

    // 128 bits: that two of a million states share them has a chance of 1 in 10^26.
    private static UInt128 HashOf(ReadOnlySpan<byte> state)
    {
        return new UInt128(Mix(state, 0x9E3779B97F4A7C15), Mix(state, 0xC2B2AE3D27D4EB4F));
    }

    private static ulong Mix(ReadOnlySpan<byte> state, ulong hash)
    {
        ReadOnlySpan<ulong> words = MemoryMarshal.Cast<byte, ulong>(state);
        foreach (ulong word in words)
        {
            hash = (hash ^ word) * 0xFF51AFD7ED558CCD;
            hash ^= hash >> 32;
        }

        foreach (byte rest in state[(words.Length * sizeof(ulong))..])
        {
            hash = (hash ^ rest) * 0xC4CEB9FE1A85EC53;
            hash ^= hash >> 29;
        }

        return hash;
    }

    /// <summary>How a state of the tables was reached: what of the bounds was used, a byte each, and what was ever said, a bit each.</summary>
    private readonly record struct Reach(uint Used, ulong Said0, ulong Said1, ulong Said2, ulong Said3)
    {
        internal bool Covers(Reach other)
        {
            bool saidAll = (other.Said0 & ~Said0) == 0 && (other.Said1 & ~Said1) == 0 && (other.Said2 & ~Said2) == 0 && (other.Said3 & ~Said3) == 0;
            return saidAll && (byte)Used <= (byte)other.Used && (byte)(Used >> 8) <= (byte)(other.Used >> 8)
                && (byte)(Used >> 16) <= (byte)(other.Used >> 16) && Used >> 24 <= other.Used >> 24;
        }
    }

    private readonly record struct Step(Kind Kind, int A, int B, int What);

    /// <summary>A beacon (To is -1), or the answer to a challenge of that boot of To.</summary>
    private readonly record struct Said(int From, int To, byte Boot, byte ToBoot, ushort SeqNo, ushort Metric, bool HasEntry);
}
