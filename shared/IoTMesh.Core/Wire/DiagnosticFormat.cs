namespace IoTMesh.Core;

/// <summary>Tables that a node can be asked for. protocol.md 7.4.</summary>
public static class DiagnosticTable
{
    public const byte Counters = 1;
    public const byte Neighbors = 2;
    public const byte Routes = 3;
}

/// <summary>Offsets in the plaintext of diagnostic messages. protocol.md 7.4.</summary>
internal static class DiagnosticFormat
{
    internal const int OffsetFlags = 1;
    internal const int OffsetCounter = 2;
    internal const int OffsetPrevious = 6;
    internal const int OffsetLinkCost = 8;
    internal const int OffsetRssi = 10;
    internal const int OffsetHopLimit = 11;
    internal const int OffsetNextHop = 12;
    internal const int OffsetMetric = 14;
    internal const int TraceAnswerLength = 16;

    /// <summary>The destination itself answers.</summary>
    internal const byte FlagDestination = 1;

    internal const int RequestLength = 4;
    internal const int TableOffsetCounter = 1;
    internal const int TableOffsetTable = 5;
    internal const int TableOffsetTotal = 6;
    internal const int TableOffsetFirst = 8;
    internal const int TableHeaderLength = 10;
    internal const int CounterRows = 29;

    /// <summary>Bytes of a row; 0 for a table that does not exist.</summary>
    internal static int RowLength(byte table)
    {
        switch (table)
        {
            case DiagnosticTable.Counters:
                return 4;
            case DiagnosticTable.Neighbors:
                return 8;
            case DiagnosticTable.Routes:
                return 9;
            default:
                return 0;
        }
    }
}
