namespace IoTMesh.Core;

/// <summary>
/// One long message coming in, piece by piece. It gives way to another where nothing came of it for 20 s, where it has lasted 2
/// minutes, or to a later one of the same origin. protocol.md 7.3.
/// </summary>
internal sealed class Reassembly
{
    private const int SilentMs = 20_000;
    private const int LastsMs = 120_000;

    /// <summary>The content: port and payload.</summary>
    internal readonly byte[] Data;

    /// <summary>Whose it is; None where it is free.</summary>
    internal ushort Origin;
    internal uint Id;
    internal ushort Total;
    private byte _size;
    private uint _heard;
    private uint _began;

    /// <param name="maxLength">Longest payload, bytes.</param>
    internal Reassembly(int maxLength)
    {
        Data = new byte[maxLength + 1];
    }

    /// <summary>Bit i: fragment i is here.</summary>
    internal uint Have { get; private set; }

    /// <summary>All is here and waits to be delivered.</summary>
    internal bool IsComplete => Origin != MeshAddress.None && Have == FragmentFormat.AllOf(FragmentFormat.CountOf(Total, _size));

    internal bool IsOf(ushort origin, uint id)
    {
        return Origin == origin && Id == id;
    }

    /// <summary>Free, or its time is over.</summary>
    internal bool GivesWay(long nowMs)
    {
        return Origin == MeshAddress.None
            || (!IsComplete && (Stamp.IsDue(Stamp.Of(_heard + SilentMs), nowMs) || Stamp.IsDue(Stamp.Of(_began + LastsMs), nowMs)));
    }

    internal void Begin(ushort origin, uint id, ushort total, byte size, long nowMs)
    {
        Origin = origin;
        Id = id;
        Total = total;
        _size = size;
        Have = 0;
        _began = Stamp.Of(nowMs);
        _heard = _began;
    }

    /// <summary>Takes the fragment whose bytes are checked to lie within Total; false where it is of another cut than the first.</summary>
    internal bool Put(ushort total, byte size, int index, byte[] buffer, int offset, int count, long nowMs)
    {
        if (total != Total || size != _size)
        {
            return false;
        }

        System.Array.Copy(buffer, offset, Data, index * size, count);
        Have |= 1U << index;
        _heard = Stamp.Of(nowMs);
        return true;
    }

    internal void Free()
    {
        Origin = MeshAddress.None;
    }
}
