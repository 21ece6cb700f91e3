using IoTMesh.Core;
using IoTMesh.Driver;

namespace IoTMesh.Gateway.Site;

/// <summary>The mesh core's records with the network keys sealed. One that was stored plain is read, and sealed when it is next stored.</summary>
public sealed class SealedStorage(IMeshStorage inner, SecretBox box) : IMeshStorage
{
    private const string Name = "mesh keys";

    /// <inheritdoc/>
    public byte[] Load(byte record)
    {
        byte[] stored = inner.Load(record);
        return record == StoreRecord.Keys && stored is not null && SecretBox.IsSealed(stored) ? box.Open(stored, Name) : stored!;
    }

    /// <inheritdoc/>
    public bool Store(byte record, byte[] buffer, int count)
    {
        if (record != StoreRecord.Keys)
        {
            return inner.Store(record, buffer, count);
        }

        byte[] sealedKeys = box.Seal(buffer.AsSpan(0, count), Name);
        return inner.Store(record, sealedKeys, sealedKeys.Length);
    }

    /// <inheritdoc/>
    public byte[] LoadLog(byte log)
    {
        return inner.LoadLog(log);
    }

    /// <inheritdoc/>
    public bool Append(byte log, bool begins, byte[] buffer, int count)
    {
        return inner.Append(log, begins, buffer, count);
    }
}
