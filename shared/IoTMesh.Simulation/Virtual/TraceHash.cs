using System.Runtime.InteropServices;

namespace IoTMesh.Simulation;

/// <summary>
/// A running 64-bit hash over everything that nodes put out, in order. Not cryptographic; equal runs give equal values on every platform.
/// </summary>
internal struct TraceHash
{
    private const ulong Multiplier = 0x9E3779B97F4A7C15UL;
    private ulong _state;

    internal readonly ulong Value => _state;

    internal void Add(ulong value)
    {
        ulong mixed = (_state ^ value) * Multiplier;
        _state = mixed ^ (mixed >> 29);
    }

    internal void Add(ReadOnlySpan<byte> bytes)
    {
        Add((ulong)bytes.Length);
        ReadOnlySpan<ulong> words = MemoryMarshal.Cast<byte, ulong>(bytes);
        foreach (ulong word in words)
        {
            Add(BitConverter.IsLittleEndian ? word : System.Buffers.Binary.BinaryPrimitives.ReverseEndianness(word));
        }

        ulong rest = 0;
        for (int i = words.Length * sizeof(ulong); i < bytes.Length; i++)
        {
            rest = (rest << 8) | bytes[i];
        }

        Add(rest);
    }
}
