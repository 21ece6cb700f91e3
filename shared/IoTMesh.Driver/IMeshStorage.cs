namespace IoTMesh.Driver;

/// <summary>Small durable records. A record is written whole; after a power cut the old or the new one is read, never a mixture.</summary>
public interface IMeshStorage
{
    /// <summary>The record, or null where none was stored.</summary>
    byte[] Load(byte record);

    /// <summary>Makes the record durable before it returns; false when it could not.</summary>
    bool Store(byte record, byte[] buffer, int count);
}
