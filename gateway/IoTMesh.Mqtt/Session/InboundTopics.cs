using System.Text;
using IoTMesh.Mqtt.Codec;

namespace IoTMesh.Mqtt.Session;

/// <summary>A topic seen on a connection, with what its owner remembers about it.</summary>
internal sealed class TopicEntry(byte[] utf8, string topic)
{
    public byte[] Utf8 { get; } = utf8;

    public string Topic { get; } = topic;

    public object? Routes { get; set; }

    public int RoutesVersion { get; set; } = -1;
}

/// <summary>
/// Topics of one connection: aliases (OASIS MQTT 5.0 section 3.3.2.3.4), and a small cache that saves making the same string for
/// each message. Bounded: a newer topic takes the slot of an older one with the same hash.
/// </summary>
internal sealed class InboundTopics(int aliasMaximum)
{
    private const int Slots = 256; // a power of two
    private const int CachedTopicBytesMax = 256;
    private TopicEntry?[]? _slots;
    private TopicEntry?[]? _aliases;

    public MqttReason Resolve(in PublishView publish, out TopicEntry entry)
    {
        entry = null!;
        uint alias = publish.Properties?.Number(PropertyId.TopicAlias) ?? 0;
        if (alias > aliasMaximum)
        {
            return MqttReason.TopicAliasInvalid;
        }

        if (publish.Topic.IsEmpty)
        {
            entry = _aliases?[alias]!;
            return entry is null ? MqttReason.ProtocolError : MqttReason.Success;
        }

        entry = Find(publish.Topic);
        if (alias > 0)
        {
            _aliases ??= new TopicEntry?[aliasMaximum + 1];
            _aliases[alias] = entry;
        }

        return MqttReason.Success;
    }

    private TopicEntry Find(ReadOnlySpan<byte> utf8)
    {
        if (utf8.Length > CachedTopicBytesMax)
        {
            return new TopicEntry(utf8.ToArray(), Encoding.UTF8.GetString(utf8));
        }

        _slots ??= new TopicEntry?[Slots];
        var hash = new HashCode();
        hash.AddBytes(utf8);
        ref TopicEntry? slot = ref _slots[hash.ToHashCode() & (Slots - 1)];
        if (slot is null || !utf8.SequenceEqual(slot.Utf8))
        {
            slot = new TopicEntry(utf8.ToArray(), Encoding.UTF8.GetString(utf8));
        }

        return slot;
    }
}
