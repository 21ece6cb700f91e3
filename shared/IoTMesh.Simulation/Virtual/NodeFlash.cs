using IoTMesh.Core;

namespace IoTMesh.Simulation;

/// <summary>
/// The logs in a node's flash. They survive a kill; one that comes while a chunk is written leaves half of it. Its size is fixed, as
/// that of a partition is, and taken as a whole with the first write.
/// </summary>
internal sealed class NodeFlash
{
    private readonly int[] _lengths = new int[CustodyLog.Count];
    private byte[][] _logs = [];

    internal void Write(byte record, bool isAppend, ReadOnlySpan<byte> bytes, bool isWhole)
    {
        if (_logs.Length == 0)
        {
            _logs = [.. _lengths.Select(_ => new byte[CustodyLog.MaxLength])];
        }

        int log = record - StoreRecord.Custody;
        int at = isAppend ? _lengths[log] : 0;
        ReadOnlySpan<byte> written = isWhole ? bytes : bytes[..(bytes.Length / 2)];
        written.CopyTo(_logs[log].AsSpan(at));
        _lengths[log] = at + written.Length;
    }

    /// <summary>Tells a node that starts what it stored before.</summary>
    internal void Restore(MeshNode node)
    {
        byte[][] logs = [.. _logs.Select((log, i) => log[.._lengths[i]])];
        foreach (int i in Enumerable.Range(0, logs.Length).Where(i => CustodyLog.NumberOf(logs[i]) != 0).OrderBy(i => CustodyLog.NumberOf(logs[i])))
        {
            node.RestoreCustody((byte)(StoreRecord.Custody + i), logs[i]);
        }
    }
}
