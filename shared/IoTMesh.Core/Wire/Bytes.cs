namespace IoTMesh.Core;

/// <summary>Little-endian integers in byte arrays; the caller has checked the length. protocol.md 1.</summary>
public static class Bytes
{
    public static ushort GetU16(byte[] buffer, int offset)
    {
        return (ushort)(buffer[offset] | (buffer[offset + 1] << 8));
    }

    public static uint GetU32(byte[] buffer, int offset)
    {
        return (uint)(buffer[offset] | (buffer[offset + 1] << 8) | (buffer[offset + 2] << 16) | (buffer[offset + 3] << 24));
    }

    public static ulong GetU64(byte[] buffer, int offset)
    {
        return GetU32(buffer, offset) | ((ulong)GetU32(buffer, offset + 4) << 32);
    }

    public static void PutU16(byte[] buffer, int offset, ushort value)
    {
        buffer[offset] = (byte)value;
        buffer[offset + 1] = (byte)(value >> 8);
    }

    public static void PutU32(byte[] buffer, int offset, uint value)
    {
        buffer[offset] = (byte)value;
        buffer[offset + 1] = (byte)(value >> 8);
        buffer[offset + 2] = (byte)(value >> 16);
        buffer[offset + 3] = (byte)(value >> 24);
    }

    public static void PutU64(byte[] buffer, int offset, ulong value)
    {
        PutU32(buffer, offset, (uint)value);
        PutU32(buffer, offset + 4, (uint)(value >> 32));
    }
}
