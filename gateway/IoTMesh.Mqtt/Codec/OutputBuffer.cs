using System.Buffers;

namespace IoTMesh.Mqtt.Codec;

/// <summary>Bytes on their way out. Grows by itself, holds no memory while empty.</summary>
internal sealed class OutputBuffer
{
    private const int FirstSizeBytes = 1024;
    private byte[] _bytes = [];

    public int Count { get; private set; }

    public ReadOnlySpan<byte> Written => _bytes.AsSpan(0, Count);

    /// <summary>Appends <paramref name="count"/> bytes for the caller to fill.</summary>
    public Span<byte> Append(int count)
    {
        if (_bytes.Length - Count < count)
        {
            Grow(count);
        }

        Span<byte> span = _bytes.AsSpan(Count, count);
        Count += count;
        return span;
    }

    public void Append(ReadOnlySpan<byte> bytes) => bytes.CopyTo(Append(bytes.Length));

    /// <summary>Hands everything written to the caller, who gives the array back with <see cref="Return"/>.</summary>
    public byte[] Take(out int count)
    {
        byte[] taken = _bytes;
        count = Count;
        _bytes = [];
        Count = 0;
        return taken;
    }

    public static void Return(byte[] taken)
    {
        if (taken.Length > 0)
        {
            ArrayPool<byte>.Shared.Return(taken);
        }
    }

    private void Grow(int count)
    {
        byte[] bigger = ArrayPool<byte>.Shared.Rent(Math.Max(Math.Max(FirstSizeBytes, _bytes.Length * 2), Count + count));
        _bytes.AsSpan(0, Count).CopyTo(bigger);
        Return(_bytes);
        _bytes = bigger;
    }
}
