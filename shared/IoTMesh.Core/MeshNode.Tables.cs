namespace IoTMesh.Core;

/// <content>This node's tables for those who ask. protocol.md 7.4.</content>
public sealed partial class MeshNode
{
    private void ReceiveTableRequest(ushort origin, int count)
    {
        if (count != DiagnosticFormat.RequestLength || !MayAnswer())
        {
            return;
        }

        int at = PutTable(_plain[1], Bytes.GetU16(_plain, 2), _header.Counter);
        Compose(MessageKind.Service, origin, (byte)MeshClass.Control, true, at);
    }

    /// <summary>
    /// This node's own answer to a request for rows of a <see cref="DiagnosticTable"/> from <paramref name="first"/> on, as another node would get
    /// it; returns its length, at most <see cref="MeshConfig.MaxPayloadLength"/>.
    /// </summary>
    public int ReadTable(byte table, int first, byte[] buffer)
    {
        int length = PutTable(table, first, 0);
        System.Array.Copy(_plain, 0, buffer, 0, length);
        return length;
    }

    /// <summary>Writes the answer to _plain; returns its length.</summary>
    private int PutTable(byte table, int first, uint asked)
    {
        int total = table == DiagnosticTable.Counters ? DiagnosticFormat.CounterRows
            : table == DiagnosticTable.Neighbors ? _neighbors.Count
            : table == DiagnosticTable.Routes ? _routes.Count : 0;
        int rowLength = DiagnosticFormat.RowLength(table);
        int room = rowLength == 0 ? 0 : (Config.MaxPayloadLength - DiagnosticFormat.TableHeaderLength) / rowLength;
        int rows = total - first < room ? total - first : room;
        rows = rows < 0 ? 0 : rows;
        _plain[0] = ServiceKind.TableAnswer;
        Bytes.PutU32(_plain, DiagnosticFormat.TableOffsetCounter, asked);
        _plain[DiagnosticFormat.TableOffsetTable] = table;
        Bytes.PutU16(_plain, DiagnosticFormat.TableOffsetTotal, (ushort)total);
        Bytes.PutU16(_plain, DiagnosticFormat.TableOffsetFirst, (ushort)first);
        int at = DiagnosticFormat.TableHeaderLength;
        for (int row = first; row < first + rows; row++)
        {
            PutRow(table, row, at);
            at += rowLength;
        }

        return at;
    }

    private void PutRow(byte table, int row, int at)
    {
        switch (table)
        {
            case DiagnosticTable.Counters:
                Bytes.PutU32(_plain, at, CounterAt(row));
                break;
            case DiagnosticTable.Neighbors:
                PutNeighborRow(row, at);
                break;
            default:
                Bytes.PutU16(_plain, at, _routes.Destination[row]);
                Bytes.PutU16(_plain, at + 2, AddressOf(_routes.NextHop(row)));
                Bytes.PutU16(_plain, at + 4, (ushort)_routes.Metric[row]);
                Bytes.PutU16(_plain, at + 6, _routes.SeqNoAdvertised[row]);
                _plain[at + 8] = (byte)((_routes.IsGateway[row] ? 1 : 0) | (_routes.FeasibleCount(row) << 4));
                break;
        }
    }

    private void PutNeighborRow(int row, int at)
    {
        int slot = -1;
        for (int seen = -1; seen < row;)
        {
            slot++;
            seen += _neighbors.Address[slot] != MeshAddress.None ? 1 : 0;
        }

        long silentSeconds = (_nowMs - _neighbors.LastHeardMs[slot]) / 1_000;
        Bytes.PutU16(_plain, at, _neighbors.Address[slot]);
        Bytes.PutU16(_plain, at + 2, (ushort)_neighbors.LinkCost(slot));
        _plain[at + 4] = (byte)_neighbors.RssiDbm[slot];
        _plain[at + 5] = _neighbors.IsUsable(slot) ? (byte)1 : (byte)0;
        Bytes.PutU16(_plain, at + 6, silentSeconds > ushort.MaxValue ? ushort.MaxValue : (ushort)silentSeconds);
    }

    /// <summary>The counters in the order of protocol.md 7.4, low 32 bits.</summary>
    private uint CounterAt(int row)
    {
        MeshCounters c = Counters;
        switch (row)
        {
            case 0: return (uint)((_nowMs - _startMs) / 1_000);
            case 1: return _record.Boot;
            case 2: return (uint)_queue.Used;
            case 3: return (uint)_custody.Count;
            case 4: return (uint)c.FramesSent;
            case 5: return (uint)c.BytesSent;
            case 6: return (uint)c.FramesReceived;
            case 7: return (uint)c.BytesReceived;
            case 8: return (uint)c.BeaconsSent;
            case 9: return (uint)c.AcksSent;
            case 10: return (uint)c.DataFramesSent;
            case 11: return (uint)c.Retries;
            case 12: return (uint)c.Originated;
            case 13: return (uint)c.Forwarded;
            case 14: return (uint)c.Delivered;
            case 15: return (uint)c.Duplicates;
            case 16: return (uint)c.LoopsDetected;
            case 17: return (uint)c.ParentChanges;
            case 18: return (uint)c.NeighborsLost;
            case 19: return (uint)c.CustodyEvicted;
            case 20: return (uint)c.CustodyReplayed;
            case 21: return (uint)c.CustodyWrites;
            case 22: return (uint)c.TransmitFailures;
            case 23: return (uint)c.DroppedNoRoute;
            case 24: return (uint)c.DroppedTries;
            case 25: return (uint)c.DroppedHopLimit;
            case 26: return (uint)c.DroppedQueueFull;
            case 27: return (uint)(c.EndToEndBadTag + c.EndToEndReplayed + c.EndToEndNoKey);
            default:
                long refused = 0;
                for (int i = 0; i < c.Refused.Length; i++)
                {
                    refused += c.Refused[i];
                }

                return (uint)refused;
        }
    }
}
