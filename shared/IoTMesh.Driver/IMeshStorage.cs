namespace IoTMesh.Driver;

/// <summary>Small durable records. A record is written whole; after a power cut the old or the new one is read, never a mixture.</summary>
public interface IMeshStorage
{
    /// <summary>The record, or null where none was stored.</summary>
    byte[] Load(byte record);

    /// <summary>Makes the record durable before it returns; false when it could not.</summary>
    bool Store(byte record, byte[] buffer, int count);

    /// <summary>All bytes added to a log since it was begun, or null where there is none. After a power cut the last addition may be torn.</summary>
    byte[] LoadLog(byte log);

    /// <summary>Adds bytes to a log and makes them durable before it returns; false when it could not.</summary>
    /// <param name="begins">The log holds nothing else afterwards.</param>
    bool Append(byte log, bool begins, byte[] buffer, int count);
}
