using IoTMesh.Core;

namespace IoTMesh.Simulation;

/// <summary>The logs in a node's flash. They survive a kill; one that comes while a chunk is written leaves half of it.</summary>
internal sealed class NodeFlash
{
    private readonly List<byte>[] _logs = [.. Enumerable.Range(0, CustodyLog.Count).Select(_ => new List<byte>())];

    internal void Write(byte record, bool isAppend, ReadOnlySpan<byte> bytes, bool isWhole)
    {
        List<byte> log = _logs[record - StoreRecord.Custody];
        if (!isAppend)
        {
            log.Clear();
        }

        log.AddRange(isWhole ? bytes : bytes[..(bytes.Length / 2)]);
    }

    /// <summary>Tells a node that starts what it stored before.</summary>
    internal void Restore(MeshNode node)
    {
        byte[][] logs = [.. _logs.Select(log => log.ToArray())];
        foreach (int i in Enumerable.Range(0, logs.Length).Where(i => CustodyLog.NumberOf(logs[i]) != 0).OrderBy(i => CustodyLog.NumberOf(logs[i])))
        {
            node.RestoreCustody((byte)(StoreRecord.Custody + i), logs[i]);
        }
    }
}
