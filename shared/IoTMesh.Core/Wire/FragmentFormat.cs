namespace IoTMesh.Core;

/// <summary>Plaintext of a fragment and of its ack, both messages of kind <see cref="MessageKind.Service"/>. protocol.md 7.3.</summary>
internal static class FragmentFormat
{
    internal const int OffsetId = 1;

    /// <summary>u16: bytes of the whole content, port included.</summary>
    internal const int OffsetTotal = 5;

    /// <summary>u8: bytes in every fragment but the last.</summary>
    internal const int OffsetSize = 7;

    /// <summary>u8: bits 4..0 the fragment's number, bit 7 <see cref="FlagAsk"/>.</summary>
    internal const int OffsetIndex = 8;
    internal const int Length = 9;
    internal const int FlagAsk = 0x80;
    internal const int IndexMask = 0x1F;

    /// <summary>As many as the bitmap of an ack has bits.</summary>
    internal const int MaxFragments = 32;

    internal const int AckOffsetStatus = 5;

    /// <summary>u32: bit i stands for fragment i.</summary>
    internal const int AckOffsetBitmap = 6;
    internal const int AckLength = 10;

    internal const byte StatusUnderWay = 0;
    internal const byte StatusComplete = 1;
    internal const byte StatusBusy = 2;
    internal const byte StatusRefused = 3;

    /// <summary>Number of fragments of a content.</summary>
    internal static int CountOf(int total, int size)
    {
        return (total + size - 1) / size;
    }

    /// <summary>A bitmap with all fragments.</summary>
    internal static uint AllOf(int count)
    {
        return count >= MaxFragments ? uint.MaxValue : (1U << count) - 1;
    }
}
