namespace IoTMesh.Core;

/// <summary>A node's own view of its links (port 3). Sized once, reused; encoding and decoding allocate nothing.</summary>
public sealed class LinkReport
{
    /// <param name="capacity">Most neighbors it holds.</param>
    public LinkReport(int capacity)
    {
        Addresses = new ushort[capacity];
        LinkCosts = new ushort[capacity];
        RssiDbm = new sbyte[capacity];
    }

    /// <summary>Next hop towards a gateway, or 0.</summary>
    public ushort Parent;

    /// <summary>Cost of the path to the gateway, 64 a perfect hop; <see cref="MeshConfig.InfiniteMetric"/> for none.</summary>
    public ushort Metric;

    /// <summary>Neighbors in the arrays, from index 0.</summary>
    public int Count;

    public readonly ushort[] Addresses;

    /// <summary>Expected transmissions per delivered frame, 64 = one.</summary>
    public readonly ushort[] LinkCosts;

    public readonly sbyte[] RssiDbm;

    public void Clear()
    {
        Parent = MeshAddress.None;
        Metric = MeshConfig.InfiniteMetric;
        Count = 0;
    }

    /// <summary>Adds a neighbor; false when it is full.</summary>
    public bool Add(ushort address, ushort linkCost, sbyte rssiDbm)
    {
        if (Count >= Addresses.Length)
        {
            return false;
        }

        Addresses[Count] = address;
        LinkCosts[Count] = linkCost;
        RssiDbm[Count] = rssiDbm;
        Count++;
        return true;
    }
}

/// <summary>Link reports on air: parent u16, metric u16, count u8, then address u16, link cost u16, rssi s8 a neighbor. protocol.md 10.</summary>
public static class LinkReportCodec
{
    /// <summary>Most neighbors that a report of that many bytes carries.</summary>
    public static int MaxNeighbors(int capacity)
    {
        int count = (capacity - HeaderLength) / EntryLength;
        return count < 0 ? 0 : count > byte.MaxValue ? byte.MaxValue : count;
    }

    private const int ParentOffset = 0;
    private const int MetricOffset = 2;
    private const int CountOffset = 4;
    private const int HeaderLength = 5;
    private const int CostOffset = 2;
    private const int RssiOffset = 4;
    private const int EntryLength = 5;

    /// <summary>Writes the report with as many neighbors as fit; its length, or 0 where not even the header fits.</summary>
    public static int Encode(LinkReport report, byte[] buffer, int offset, int capacity)
    {
        if (capacity < HeaderLength)
        {
            return 0;
        }

        int count = report.Count < MaxNeighbors(capacity) ? report.Count : MaxNeighbors(capacity);
        Bytes.PutU16(buffer, offset + ParentOffset, report.Parent);
        Bytes.PutU16(buffer, offset + MetricOffset, report.Metric);
        buffer[offset + CountOffset] = (byte)count;
        int at = offset + HeaderLength;
        for (int i = 0; i < count; i++)
        {
            Bytes.PutU16(buffer, at, report.Addresses[i]);
            Bytes.PutU16(buffer, at + CostOffset, report.LinkCosts[i]);
            buffer[at + RssiOffset] = (byte)report.RssiDbm[i];
            at += EntryLength;
        }

        return at - offset;
    }

    /// <summary>Reads a report; TableFull where it has more neighbors than the object holds.</summary>
    public static ParseError Decode(byte[] buffer, int offset, int count, LinkReport report)
    {
        if (count < HeaderLength)
        {
            return ParseError.TooShort;
        }

        int entries = buffer[offset + CountOffset];
        if (count != HeaderLength + (entries * EntryLength))
        {
            return ParseError.BadLength;
        }

        if (entries > report.Addresses.Length)
        {
            return ParseError.TableFull;
        }

        report.Clear();
        report.Parent = Bytes.GetU16(buffer, offset + ParentOffset);
        report.Metric = Bytes.GetU16(buffer, offset + MetricOffset);
        int at = offset + HeaderLength;
        for (int i = 0; i < entries; i++)
        {
            ushort cost = Bytes.GetU16(buffer, at + CostOffset);
            report.Add(Bytes.GetU16(buffer, at), cost, (sbyte)buffer[at + RssiOffset]);
            at += EntryLength;
        }

        return ParseError.None;
    }
}
