using System.Buffers;
using System.IO.Pipelines;
using IoTMesh.Mqtt;
using Microsoft.AspNetCore.Connections;

namespace IoTMesh.Gateway.Fuzzing;

/// <summary>MQTT packets, by the codec alone, by a client that gets them and by a running broker that does.</summary>
internal sealed class MqttTarget(MqttProtocol protocol, bool isClient) : FuzzTarget
{
    internal override IReadOnlyList<byte[]> Samples => isClient ? MqttSamples.ToClient(protocol) : MqttSamples.Packets(protocol);

    // The framer's copy of a packet in parts, and what the packet says.
    internal override long AllocatedBytesMax => 256 * 1024;

    internal override ulong Feed(byte[] input, int count)
    {
        return isClient ? PacketProbe.Answer(input.AsMemory(0, count), protocol) : PacketProbe.Decode(input.AsMemory(0, count), protocol);
    }
}

/// <summary>Each input is one client's whole stream to a broker that runs; its sessions stay from one to the next.</summary>
internal sealed class BrokerTarget(MqttProtocol protocol) : FuzzTarget
{
    private const int EndMs = 5_000;
    private static readonly Stream _nowhere = Stream.Null;
    private readonly MqttBroker _broker = new(new MqttBrokerOptions());

    internal override IReadOnlyList<byte[]> Samples { get; } =
        [.. MqttSamples.Packets(protocol).Select(p => (byte[])[.. MqttSamples.Connect(protocol), .. p]), MqttSamples.Connect(protocol)];

    // A connection with its pipes and session.
    internal override long AllocatedBytesMax => 1024 * 1024;

    internal override ulong Feed(byte[] input, int count)
    {
        MqttBrokerCounters before = _broker.Counters;
        var transport = new Duplex(PipeReader.Create(new ReadOnlySequence<byte>(input, 0, count)), PipeWriter.Create(_nowhere));
        Task connection = _broker.HandleConnectionAsync(new DefaultConnectionContext("fuzz", transport, transport));
        if (!connection.Wait(EndMs))
        {
            throw new FuzzException("the broker does not end a connection whose client is gone");
        }

        MqttBrokerCounters after = _broker.Counters;
        return Mix(Mix(11, (ulong)(after.GetHashCode() == before.GetHashCode() ? 1 : 0)), ChangeOf(before, after));
    }

    internal override void Check()
    {
        if (_broker.Counters.Clients != 0)
        {
            throw new FuzzException($"{_broker.Counters.Clients} clients are gone and still counted");
        }

        _broker.DisposeAsync().AsTask().Wait(EndMs);
    }

    private static ulong ChangeOf(MqttBrokerCounters before, MqttBrokerCounters after)
    {
        ulong bits = 0;
        foreach (System.Reflection.PropertyInfo counter in _counters)
        {
            bits = (bits << 1) | (Equals(counter.GetValue(before), counter.GetValue(after)) ? 0UL : 1UL);
        }

        return bits;
    }

    private static readonly System.Reflection.PropertyInfo[] _counters = typeof(MqttBrokerCounters).GetProperties();

    private sealed class Duplex(PipeReader input, PipeWriter output) : IDuplexPipe
    {
        public PipeReader Input => input;

        public PipeWriter Output => output;
    }
}

/// <summary>Packets of OASIS MQTT 5.0 and MQTT 3.1.1, as they stand on the wire.</summary>
internal static class MqttSamples
{
    internal static byte[] Connect(MqttProtocol protocol) => Hex(protocol == MqttProtocol.V5
        ? "1017 00044D515454 05 02 003C 05 11 0000000A 0005 70726F6265"
        : "1011 00044D515454 04 02 003C 0005 70726F6265");

    internal static IReadOnlyList<byte[]> Packets(MqttProtocol protocol)
    {
        string[] both = ["C000", "D000", "40020001", "50020001", "62020001", "70020001"];
        string[] five =
        [
            "101C 00044D515454 05 06 003C 00 0005 70726F6265 00 0003 612F62 0002 6869", "3008 0003 612F62 00 6869",
            "3213 0003 612F62 000A 0A 01 01 02 0000000A 23 0001 68",
            "340F 0003 612F62 000B 07 26 0001 61 0001 62", "82 0B 000A 02 0B 01 0003 612F23 02",
            "82 16 000A 00 0003 612F2B 01 000A 2473686172652F672F61 00",
            "A2 08 000A 00 0003 612F23", "E0 02 00 00", "E0 07 04 05 11 00000005", "F0 00", "40 04 000A 10 00", "90 04 000A 00 01",
            "20 06 00 00 03 21 000A",
        ];
        string[] old =
        [
            "101D 00044D515454 04 C6 003C 0005 70726F6265 0001 77 0001 78 0001 75 0001 70", "3007 0003 612F62 6869", "3209 0003 612F62 000A 6869",
            "3409 0003 612F62 000B 6869", "82 08 000A 0003 612F23 01", "A2 07 000A 0003 612F23", "E000", "9003 000A 01", "B002 000A", "2002 0000",
        ];
        return [.. both.Concat(protocol == MqttProtocol.V5 ? five : old).Select(Hex)];
    }

    /// <summary>Streams of a broker: CONNACK, then each packet that it may send.</summary>
    internal static IReadOnlyList<byte[]> ToClient(MqttProtocol protocol)
    {
        byte[] accepted = Hex(protocol == MqttProtocol.V5 ? "20 06 00 00 03 21 000A" : "2002 0000");
        byte[] acks = Hex("40020001 50020002 70020002");
        return [accepted, [.. accepted, .. acks], .. Packets(protocol).Select(p => (byte[])[.. accepted, .. p, .. acks])];
    }

    private static byte[] Hex(string hex) => Convert.FromHexString(hex.Replace(" ", "", StringComparison.Ordinal));
}
