using IoTMesh.Core;

namespace IoTMesh.Node;

/// <summary>Free memory of the board, kB with one decimal.</summary>
public sealed class MemorySensor : ISensor
{
    private const int BytesPerStep = 100;
    private readonly IBoard _board;

    public MemorySensor(IBoard board)
    {
        _board = board;
    }

    public void Sample(long nowMs, ReadingWriter writer)
    {
        writer.AddGeneric(ReadingChannel.FreeMemory, 1, _board.FreeMemoryBytes / BytesPerStep);
    }
}
