using System.Buffers.Binary;
using IoTMesh.Core;

namespace IoTMesh.Simulation;

/// <summary>Types of the air's datagrams. docs/protocol.md 11.2.</summary>
public enum AirType : byte
{
    Hello = 1,
    Welcome = 2,
    Frame = 3,
    Bye = 4,
    Control = 5,
    Reply = 6,
}

/// <summary>The fixed header of the air's datagrams, docs/protocol.md 11.1.</summary>
/// <param name="Node">Who talks to the air, or whom the air talks to; 0 for control.</param>
public readonly record struct AirHeader(AirType Type, ushort Node, ushort LinkSource = 0, ushort LinkDestination = 0, sbyte RssiDbm = 0,
    byte Status = 0);

/// <summary>Reads and writes the air's datagrams. docs/protocol.md 11.1.</summary>
public static class AirFormat
{
    public const int HeaderLength = 12;
    public const int BodyLengthMax = 1200;
    public const byte StatusRegistered = 0;
    public const byte StatusUnknownAddress = 1;
    public const byte StatusFull = 2;

    private const byte Magic0 = 0x69;
    private const byte Magic1 = 0x61;
    private const byte Version = 1;
    private const int VersionAt = 2;
    private const int TypeAt = 3;
    private const int NodeAt = 4;
    private const int LinkSourceAt = 6;
    private const int LinkDestinationAt = 8;
    private const int RssiAt = 10;
    private const int StatusAt = 11;

    /// <summary>Writes the header; the body follows at <see cref="HeaderLength"/>.</summary>
    public static void Write(Span<byte> datagram, in AirHeader header)
    {
        datagram[0] = Magic0;
        datagram[1] = Magic1;
        datagram[VersionAt] = Version;
        datagram[TypeAt] = (byte)header.Type;
        BinaryPrimitives.WriteUInt16LittleEndian(datagram[NodeAt..], header.Node);
        BinaryPrimitives.WriteUInt16LittleEndian(datagram[LinkSourceAt..], header.LinkSource);
        BinaryPrimitives.WriteUInt16LittleEndian(datagram[LinkDestinationAt..], header.LinkDestination);
        datagram[RssiAt] = (byte)header.RssiDbm;
        datagram[StatusAt] = header.Status;
    }

    /// <summary>Reads a datagram; false for one that must be dropped.</summary>
    public static bool TryRead(ReadOnlySpan<byte> datagram, out AirHeader header)
    {
        header = default;
        if (datagram.Length is < HeaderLength or > HeaderLength + BodyLengthMax)
        {
            return false;
        }

        if (datagram[0] != Magic0 || datagram[1] != Magic1 || datagram[VersionAt] != Version)
        {
            return false;
        }

        header = new AirHeader(
            (AirType)datagram[TypeAt],
            BinaryPrimitives.ReadUInt16LittleEndian(datagram[NodeAt..]),
            BinaryPrimitives.ReadUInt16LittleEndian(datagram[LinkSourceAt..]),
            BinaryPrimitives.ReadUInt16LittleEndian(datagram[LinkDestinationAt..]),
            (sbyte)datagram[RssiAt],
            datagram[StatusAt]);
        bool hasBody = datagram.Length > HeaderLength;
        return header.Type switch
        {
            AirType.Hello or AirType.Welcome or AirType.Bye => !hasBody && MeshAddress.IsUnicast(header.Node),
            AirType.Frame => hasBody && MeshAddress.IsUnicast(header.Node) && MeshAddress.IsUnicast(header.LinkSource)
                && IsDestination(header.LinkDestination),
            AirType.Control or AirType.Reply => hasBody,
            _ => false,
        };
    }

    private static bool IsDestination(ushort address) => address == MeshAddress.All || MeshAddress.IsUnicast(address);
}
