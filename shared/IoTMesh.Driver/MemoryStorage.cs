using System;

namespace IoTMesh.Driver;

/// <summary>Records that live as long as the object: for tests and for virtual nodes that may forget. Any thread.</summary>
public sealed class MemoryStorage : IMeshStorage
{
    private const int MaxRecords = 16;
    private readonly byte[][] _records = new byte[MaxRecords][];
    private readonly byte[][] _logs = new byte[MaxRecords][];
    private readonly object _lock = new object();

    public byte[] Load(byte record)
    {
        lock (_lock)
        {
            return record < MaxRecords && _records[record] != null ? Copy(_records[record], _records[record].Length) : null;
        }
    }

    public bool Store(byte record, byte[] buffer, int count)
    {
        lock (_lock)
        {
            if (record >= MaxRecords)
            {
                return false;
            }

            _records[record] = Copy(buffer, count);
            return true;
        }
    }

    public byte[] LoadLog(byte log)
    {
        lock (_lock)
        {
            return log < MaxRecords && _logs[log] != null ? Copy(_logs[log], _logs[log].Length) : null;
        }
    }

    public bool Append(byte log, bool begins, byte[] buffer, int count)
    {
        lock (_lock)
        {
            if (log >= MaxRecords)
            {
                return false;
            }

            int before = begins || _logs[log] == null ? 0 : _logs[log].Length;
            byte[] longer = new byte[before + count];
            if (before > 0)
            {
                Array.Copy(_logs[log], 0, longer, 0, before);
            }

            Array.Copy(buffer, 0, longer, before, count);
            _logs[log] = longer;
            return true;
        }
    }

    private static byte[] Copy(byte[] source, int count)
    {
        byte[] copy = new byte[count];
        Array.Copy(source, 0, copy, 0, count);
        return copy;
    }
}
