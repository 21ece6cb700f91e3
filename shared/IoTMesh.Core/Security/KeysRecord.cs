namespace IoTMesh.Core;

/// <summary>The network keys as a node stores them. protocol.md 9.3.</summary>
internal static class KeysRecord
{
    internal const int Length = 46;
    private const byte FormatVersion = 1;
    private const byte FlagNext = 1;
    private const int OffsetFlags = 1;
    private const int OffsetNetworkId = 2;
    private const int OffsetEpoch = 4;
    private const int OffsetKey = 8;
    private const int OffsetNextEpoch = 24;
    private const int OffsetNextKey = 28;
    private const int OffsetCrc = 44;

    /// <param name="nextKey">Null where the node has no later key.</param>
    internal static void Emit(byte[] buffer, ushort networkId, uint epoch, byte[] key, uint nextEpoch, byte[] nextKey)
    {
        System.Array.Clear(buffer, 0, Length);
        buffer[0] = FormatVersion;
        buffer[OffsetFlags] = nextKey != null ? FlagNext : (byte)0;
        Bytes.PutU16(buffer, OffsetNetworkId, networkId);
        Bytes.PutU32(buffer, OffsetEpoch, epoch);
        System.Array.Copy(key, 0, buffer, OffsetKey, KeySchedule.KeyLength);
        if (nextKey != null)
        {
            Bytes.PutU32(buffer, OffsetNextEpoch, nextEpoch);
            System.Array.Copy(nextKey, 0, buffer, OffsetNextKey, KeySchedule.KeyLength);
        }

        Bytes.PutU16(buffer, OffsetCrc, CounterRecord.Crc16(buffer, 0, OffsetCrc));
    }

    /// <summary>False, and nothing taken, for a record that is damaged or of another network than <paramref name="keys"/> is for.</summary>
    internal static bool Read(byte[] record, MeshKeys keys)
    {
        if (record == null || record.Length != Length || record[0] != FormatVersion || Bytes.GetU16(record, OffsetNetworkId) != keys.NetworkId
            || Bytes.GetU16(record, OffsetCrc) != CounterRecord.Crc16(record, 0, OffsetCrc))
        {
            return false;
        }

        keys.Epoch = Bytes.GetU32(record, OffsetEpoch);
        keys.NetworkKey = KeyAt(record, OffsetKey);
        bool hasNext = (record[OffsetFlags] & FlagNext) != 0;
        keys.NextEpoch = hasNext ? Bytes.GetU32(record, OffsetNextEpoch) : 0;
        keys.NextNetworkKey = hasNext ? KeyAt(record, OffsetNextKey) : null;
        return true;
    }

    private static byte[] KeyAt(byte[] record, int offset)
    {
        byte[] key = new byte[KeySchedule.KeyLength];
        System.Array.Copy(record, offset, key, 0, key.Length);
        return key;
    }
}
