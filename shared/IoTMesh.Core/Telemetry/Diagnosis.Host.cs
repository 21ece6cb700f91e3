using System.Collections.Generic;

namespace IoTMesh.Core;

/// <summary>A hop's answer to a ping or a trace.</summary>
public sealed class TraceAnswer
{
    /// <summary>The neighbor that the trace came from there, 0 for unknown.</summary>
    public ushort Previous;

    /// <summary>Cost of the link to that neighbor, 64 a perfect one.</summary>
    public ushort LinkCost;
    public sbyte RssiDbm;

    /// <summary>Its own next hop to the node asked for, 0 for none or for that node itself.</summary>
    public ushort NextHop;
    public ushort Metric;
    public bool IsDestination;
}

/// <summary>Rows of a node's table.</summary>
public sealed class TableAnswer
{
    public byte Table;
    public int Total;
    public int First;

    /// <summary>Each row as its fields: counters (value); neighbors (address, link cost, dBm, verified, silent s); routes (destination,
    /// next hop, metric, seqno, gateway, feasible next hops).</summary>
    public readonly List<int[]> Rows = [];
}

/// <summary>Reads what a Diagnosis output holds. Host only: it allocates.</summary>
public static class Diagnosis
{
    /// <summary>Names of the counters, in the order of their rows.</summary>
    public static readonly string[] CounterNames =
    [
        "uptimeSeconds", "boot", "queued", "custody", "framesSent", "bytesSent", "framesReceived", "bytesReceived", "beaconsSent", "acksSent",
        "dataFramesSent", "retries", "originated", "forwarded", "delivered", "duplicates", "loopsDetected", "parentChanges", "neighborsLost",
        "custodyEvicted", "custodyReplayed", "custodyWrites", "transmitFailures", "droppedNoRoute", "droppedTries", "droppedHopLimit",
        "droppedQueueFull", "endToEndRefused", "framesRefused",
    ];

    /// <summary>The answer of a hop, or null where the bytes are none.</summary>
    public static TraceAnswer ReadTrace(byte[] buffer, int length)
    {
        if (length != DiagnosticFormat.TraceAnswerLength || buffer[0] != ServiceKind.TraceAnswer)
        {
            return null;
        }

        return new TraceAnswer
        {
            Previous = Bytes.GetU16(buffer, DiagnosticFormat.OffsetPrevious),
            LinkCost = Bytes.GetU16(buffer, DiagnosticFormat.OffsetLinkCost),
            RssiDbm = (sbyte)buffer[DiagnosticFormat.OffsetRssi],
            NextHop = Bytes.GetU16(buffer, DiagnosticFormat.OffsetNextHop),
            Metric = Bytes.GetU16(buffer, DiagnosticFormat.OffsetMetric),
            IsDestination = (buffer[DiagnosticFormat.OffsetFlags] & DiagnosticFormat.FlagDestination) != 0,
        };
    }

    /// <summary>The rows, or null where the bytes are none.</summary>
    public static TableAnswer ReadTable(byte[] buffer, int length)
    {
        if (length < DiagnosticFormat.TableHeaderLength || buffer[0] != ServiceKind.TableAnswer)
        {
            return null;
        }

        var answer = new TableAnswer
        {
            Table = buffer[DiagnosticFormat.TableOffsetTable],
            Total = Bytes.GetU16(buffer, DiagnosticFormat.TableOffsetTotal),
            First = Bytes.GetU16(buffer, DiagnosticFormat.TableOffsetFirst),
        };
        int rowLength = DiagnosticFormat.RowLength(answer.Table);
        for (int at = DiagnosticFormat.TableHeaderLength; rowLength > 0 && at + rowLength <= length; at += rowLength)
        {
            answer.Rows.Add(answer.Table switch
            {
                DiagnosticTable.Counters => [(int)Bytes.GetU32(buffer, at)],
                DiagnosticTable.Neighbors =>
                [
                    Bytes.GetU16(buffer, at), Bytes.GetU16(buffer, at + 2), (sbyte)buffer[at + 4], buffer[at + 5] & 1, Bytes.GetU16(buffer, at + 6),
                ],
                _ =>
                [
                    Bytes.GetU16(buffer, at), Bytes.GetU16(buffer, at + 2), Bytes.GetU16(buffer, at + 4), Bytes.GetU16(buffer, at + 6),
                    buffer[at + 8] & 1, buffer[at + 8] >> 4,
                ],
            });
        }

        return answer;
    }
}
