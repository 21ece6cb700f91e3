using IoTMesh.Core;
using IoTMesh.Simulation;

namespace IoTMesh.Gateway.Fuzzing;

/// <summary>A decoder of plain bytes that keeps no state between inputs.</summary>
internal sealed class CodecTarget(byte[][] samples, Func<byte[], int, ulong> decode, long allocatedBytesMax) : FuzzTarget
{
    internal override IReadOnlyList<byte[]> Samples => samples;

    internal override long AllocatedBytesMax => allocatedBytesMax;

    internal override ulong Feed(byte[] input, int count) => decode(input, count);
}

/// <summary>The decoders of payloads, records and datagrams.</summary>
internal static class CodecTargets
{
    private static readonly ReadingReader _reader = new();
    private static readonly CommandMessage _command = new();
    private static readonly NodeInfo _info = new();
    private static readonly LinkReport _report = new(16);

    internal static FuzzTarget Reading() => new CodecTarget(
        [
            Hex("0161"), Hex("02CA0903BF13"), Hex("04138A0105138A14"), Hex("530C48656C6C6F20576F726C6421"), Hex("540C48656C6C6F20576F726C6421"),
            Hex("000A016102CA0903BF13"), Hex("3D093E2A2C0942DC00"), Hex("F0010203"), Hex("FE010203040506"),
        ],
        (input, count) =>
        {
            _reader.Reset(input, 0, count);
            ulong hash = 7;
            while (_reader.Next())
            {
                hash = (hash * 31) + _reader.ObjectId;
                hash += _reader.IsText ? (uint)_reader.GetText().Length & 1 : (uint)_reader.Value.GetHashCode() & 1;
            }

            return (hash * 31) + (ulong)_reader.Error;
        },
        8 * 1024);

    internal static FuzzTarget Command() => new CodecTarget(
        [Request(m => m.SetNone()), Request(m => m.SetBool(true)), Request(m => m.SetInteger(-5)), Request(m => m.SetText("warm"))],
        (input, count) =>
        {
            ulong request = (ulong)CommandCodec.DecodeRequest(input, 0, count, _command);
            ulong hash = request | ((ulong)_command.Op << 8) | ((ulong)_command.ValueType << 16);
            ulong response = (ulong)CommandCodec.DecodeResponse(input, 0, count, _command);
            return hash | (response << 24) | ((ulong)_command.Status << 32);
        },
        2 * 1024);

    internal static FuzzTarget NodeInfo() => new CodecTarget(
        [Info(0), Info(1), Info(6)],
        (input, count) =>
            (ulong)NodeInfoCodec.Decode(input, 0, count, _info) | ((ulong)(uint)_info.KeyCount << 8) | ((ulong)(uint)_info.Name.Length << 16),
        4 * 1024);

    internal static FuzzTarget LinkReport() => new CodecTarget(
        [Report(0), Report(1), Report(12)],
        (input, count) => (ulong)LinkReportCodec.Decode(input, 0, count, _report) | ((ulong)(uint)_report.Count << 8),
        1024);

    internal static FuzzTarget Inspector() => new CodecTarget(
        Recording.Frames,
        (input, count) =>
        {
            FrameInspector seen = FrameInspector.Decode(input[..count], FuzzMesh.NetworkKey, FuzzMesh.Epoch);
            return (uint)seen.Fields.Count | ((ulong)(uint)(seen.Problem?.Length ?? 0) << 8);
        },
        128 * 1024);

    internal static FuzzTarget Air() => new CodecTarget(
        [
            Datagram(AirType.Hello, 0), Datagram(AirType.Welcome, 0), Datagram(AirType.Bye, 0), Datagram(AirType.Frame, 40),
            Datagram(AirType.Control, 9),
        ],
        (input, count) => AirFormat.TryRead(input.AsSpan(0, count), out AirHeader header) ? 1 + (ulong)header.Type : 0,
        1024);

    internal static FuzzTarget Counters() => new CodecTarget([Hex("010005000040000000100000400000000000"), CounterSample()], MakeNode, 256 * 1024);

    internal static FuzzTarget Keys() => new CodecTarget(
        [KeysSample(0), KeysSample(1)],
        (input, count) =>
        {
            Seal(input, count, 44, 46);
            var keys = new MeshKeys { NetworkId = 5 };
            return keys.Restore(input[..count]) ? 1 + (keys.NextNetworkKey is null ? 0UL : 1UL) : 0;
        },
        2 * 1024);

    internal static FuzzTarget CustodyLog() => new CustodyTarget();

    private static ulong MakeNode(byte[] input, int count)
    {
        // Most with a right CRC: a wrong one is refused at once.
        Seal(input, count, 16, 18);
        try
        {
            var keys = new MeshKeys { NetworkKey = FuzzMesh.NetworkKey, DeviceKey = new byte[16] };
            var node = new MeshNode(new MeshConfig { Address = 2 }, keys, new PlatformCrypto(), 1, input[..count]);
            node.Start(1);
            return 2;
        }
        catch (ArgumentException)
        {
            // protocol.md 9.1: a damaged record is refused.
            return 1;
        }
    }

    private static byte[] Hex(string hex) => Convert.FromHexString(hex);

    private static byte[] CounterSample()
    {
        byte[] record = Hex("010001000040000000100000400000000000");
        Seal(record, record.Length, 16, 18);
        return record;
    }

    private static byte[] KeysSample(byte flags)
    {
        byte[] record = new byte[46];
        record[0] = 1;
        record[1] = flags;
        record[2] = 5;
        return record;
    }

    internal static void Seal(byte[] bytes, int count, int crcAt, int length)
    {
        if (count == length && (bytes[2] & 0x0F) != 0x0F)
        {
            Bytes.PutU16(bytes, crcAt, Crc16(bytes.AsSpan(0, crcAt)));
        }
    }

    // CRC-16/CCITT-FALSE, protocol.md 9.
    internal static ushort Crc16(ReadOnlySpan<byte> bytes)
    {
        int crc = 0xFFFF;
        foreach (byte value in bytes)
        {
            crc ^= value << 8;
            for (int bit = 0; bit < 8; bit++)
            {
                crc = ((crc & 0x8000) != 0 ? (crc << 1) ^ 0x1021 : crc << 1) & 0xFFFF;
            }
        }

        return (ushort)crc;
    }

    private static byte[] Request(Action<CommandMessage> set)
    {
        var message = new CommandMessage { Id = 7, Op = CommandOp.Set, Key = "led" };
        set(message);
        byte[] buffer = new byte[CommandCodec.MaxLength];
        return buffer[..CommandCodec.EncodeRequest(message, buffer, 0, buffer.Length)];
    }

    private static byte[] Info(int keys)
    {
        var info = new NodeInfo { DeviceId = 0x1122334455667788, Boot = 3, Name = "Küche", Model = "esp32", Version = "1.0" };
        for (int i = 0; i < keys; i++)
        {
            info.AddKey("key" + i, (CommandValueType)(1 + (i % 3)), i % 2 == 0);
        }

        byte[] buffer = new byte[500];
        return buffer[..NodeInfoCodec.Encode(info, buffer, 0, buffer.Length)];
    }

    private static byte[] Report(int neighbors)
    {
        var report = new LinkReport(16) { Parent = 2, Metric = 128 };
        for (int i = 0; i < neighbors; i++)
        {
            report.Add((ushort)(i + 2), 64, -60);
        }

        byte[] buffer = new byte[180];
        return buffer[..LinkReportCodec.Encode(report, buffer, 0, buffer.Length)];
    }

    private static byte[] Datagram(AirType type, int body)
    {
        byte[] datagram = new byte[AirFormat.HeaderLength + body];
        AirFormat.Write(datagram, new AirHeader(type, 2, 2, MeshAddress.All));
        return datagram;
    }

    /// <summary>Logs of readings in custody (protocol.md 9.2) into a node that starts.</summary>
    private sealed class CustodyTarget : FuzzTarget
    {
        private const int FixedLength = 22;
        private readonly MeshKeys _keys = new() { NetworkKey = FuzzMesh.NetworkKey, DeviceKey = new byte[16] };

        internal override IReadOnlyList<byte[]> Samples { get; } = [Chunk(1, 1), [.. Chunk(1, 3), .. Chunk(2, 1)], [.. Chunk(7, 0), .. Chunk(8, 2)]];

        // A node with all its tables, and the copy of the log.
        internal override long AllocatedBytesMax => 256 * 1024;

        internal override ulong Feed(byte[] input, int count)
        {
            Mend(input, count);
            var node = new MeshNode(new MeshConfig { Address = 2, StoreCustody = true }, _keys, new PlatformCrypto(), 1, null);
            node.RestoreCustody(StoreRecord.Custody, input[..count]);
            node.Start(1);
            return (ulong)IoTMesh.Core.CustodyLog.NumberOf(input[..count]) & 0xFF;
        }

        // Right check sums, wherever a chunk stands whole, so that what they cover is read.
        private static void Mend(byte[] log, int count)
        {
            for (int at = 0; at + FixedLength + 2 <= count;)
            {
                int length = FixedLength + log[at + 1];
                if (log[at] != 0xC1 || at + length + 2 > count)
                {
                    at++;
                    continue;
                }

                Bytes.PutU16(log, at + length, Crc16(log.AsSpan(at, length)));
                at += length + 2;
            }
        }

        private static byte[] Chunk(uint number, int readings)
        {
            byte[] chunk = new byte[FixedLength + (readings * 8) + 2];
            chunk[0] = 0xC1;
            chunk[1] = (byte)(readings * 8);
            chunk[2] = 1;
            Bytes.PutU32(chunk, 4, number);
            Bytes.PutU32(chunk, 8, 1);
            chunk[12] = 1;
            Bytes.PutU32(chunk, 14, 1);
            for (int i = 0; i < readings; i++)
            {
                chunk[FixedLength + (i * 8)] = 3;
            }

            Bytes.PutU16(chunk, chunk.Length - 2, Crc16(chunk.AsSpan(0, chunk.Length - 2)));
            return chunk;
        }
    }
}
