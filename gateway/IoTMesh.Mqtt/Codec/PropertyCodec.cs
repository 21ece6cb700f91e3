using System.Text;

namespace IoTMesh.Mqtt.Codec;

/// <summary>The property block of a packet: its length as variable byte integer, then the properties (OASIS MQTT 5.0 section 2.2.2).</summary>
internal static class PropertyCodec
{
    /// <summary>Reads the block. Null where it is empty. Failures stay in the reader.</summary>
    /// <param name="reader">Positioned at the length.</param>
    /// <param name="allowed">Mask of the identifiers that this packet may carry.</param>
    /// <param name="repeatable">Mask of identifiers that may come more than once; the user property always may.</param>
    public static MqttProperties? Read(ref WireReader reader, ulong allowed, ulong repeatable = 0)
    {
        uint blockBytes = reader.VarInt();
        if (blockBytes == 0 || reader.Failed)
        {
            return null;
        }

        if (blockBytes > reader.Remaining)
        {
            reader.Fail(MqttReason.MalformedPacket);
            return null;
        }

        var block = new WireReader(reader.Take((int)blockBytes));
        var properties = new MqttProperties();
        repeatable |= 1UL << (int)PropertyId.UserProperty;
        ulong seen = 0;
        while (block.Remaining > 0)
        {
            uint number = block.VarInt();
            ulong bit = number < 64 ? 1UL << (int)number : 0;
            if ((bit & allowed) == 0)
            {
                reader.Fail(MqttReason.MalformedPacket);
                return null;
            }

            if ((seen & bit & ~repeatable) != 0)
            {
                reader.Fail(MqttReason.ProtocolError);
                return null;
            }

            seen |= bit;
            ReadOne(ref block, (PropertyId)number, properties);
        }

        if (block.Failed)
        {
            reader.Fail(block.Error);
            return null;
        }

        return properties;
    }

    /// <summary>Bytes of the block including its length.</summary>
    public static int Length(MqttProperties? properties, ulong skip = 0)
    {
        int bytes = BodyLength(properties, skip);
        return WireWriter.VarIntLength((uint)bytes) + bytes;
    }

    public static int BodyLength(MqttProperties? properties, ulong skip = 0)
    {
        int bytes = 0;
        if (properties is not null)
        {
            foreach (ref readonly Property p in properties.Items)
            {
                bytes += (skip >> (int)p.Id & 1) != 0 ? 0 : LengthOf(in p);
            }
        }

        return bytes;
    }

    public static void Write(ref WireWriter writer, MqttProperties? properties)
    {
        writer.VarInt((uint)BodyLength(properties));
        WriteBody(ref writer, properties);
    }

    public static void WriteBody(ref WireWriter writer, MqttProperties? properties, ulong skip = 0)
    {
        if (properties is null)
        {
            return;
        }

        foreach (ref readonly Property p in properties.Items)
        {
            if ((skip >> (int)p.Id & 1) == 0)
            {
                WriteOne(ref writer, in p);
            }
        }
    }

    private static int LengthOf(in Property p) => 1 + MqttProperties.KindOf(p.Id) switch
    {
        PropertyKind.Byte => 1,
        PropertyKind.UInt16 => 2,
        PropertyKind.UInt32 => 4,
        PropertyKind.VarInt => WireWriter.VarIntLength(p.Number),
        PropertyKind.Text => WireWriter.LengthOf((string)p.Value!),
        PropertyKind.Binary => 2 + ((byte[])p.Value!).Length,
        _ => WireWriter.LengthOf(p.Name!) + WireWriter.LengthOf((string)p.Value!),
    };

    private static void WriteOne(ref WireWriter writer, in Property p)
    {
        writer.Byte((byte)p.Id);
        switch (MqttProperties.KindOf(p.Id))
        {
            case PropertyKind.Byte:
                writer.Byte((byte)p.Number);
                break;
            case PropertyKind.UInt16:
                writer.UInt16((ushort)p.Number);
                break;
            case PropertyKind.UInt32:
                writer.UInt32(p.Number);
                break;
            case PropertyKind.VarInt:
                writer.VarInt(p.Number);
                break;
            case PropertyKind.Text:
                writer.Text((string)p.Value!);
                break;
            case PropertyKind.Binary:
                writer.Binary((byte[])p.Value!);
                break;
            default:
                writer.Text(p.Name!);
                writer.Text((string)p.Value!);
                break;
        }
    }

    private static void ReadOne(ref WireReader block, PropertyId id, MqttProperties properties)
    {
        switch (MqttProperties.KindOf(id))
        {
            case PropertyKind.Byte:
                AddNumber(ref block, id, block.Byte(), properties);
                break;
            case PropertyKind.UInt16:
                AddNumber(ref block, id, block.UInt16(), properties);
                break;
            case PropertyKind.UInt32:
                AddNumber(ref block, id, block.UInt32(), properties);
                break;
            case PropertyKind.VarInt:
                AddNumber(ref block, id, block.VarInt(), properties);
                break;
            case PropertyKind.Text:
                properties.Add(id, block.String());
                break;
            case PropertyKind.Binary:
                properties.Add(id, block.Binary().ToArray());
                break;
            default:
                string name = block.String();
                properties.Add(id, block.String(), name);
                break;
        }
    }

    // Values that the standard forbids: protocol errors, sections 3.1.2.11, 3.2.2.3, 3.3.2.3; an alias of 0 has its own code.
    private static void AddNumber(ref WireReader block, PropertyId id, uint value, MqttProperties properties)
    {
        bool ok = id switch
        {
            PropertyId.ReceiveMaximum or PropertyId.MaximumPacketSize or PropertyId.SubscriptionId or PropertyId.TopicAlias => value != 0,
            _ => MqttProperties.KindOf(id) != PropertyKind.Byte || value <= 1,
        };
        if (!ok)
        {
            block.Fail(id == PropertyId.TopicAlias ? MqttReason.TopicAliasInvalid : MqttReason.ProtocolError);
        }

        properties.Add(id, value);
    }
}
