using System.Runtime.InteropServices;
using System.Text;

namespace IoTMesh.Mqtt.Codec;

/// <summary>Property identifiers, OASIS MQTT 5.0 section 2.2.2.2, table 2-4.</summary>
internal enum PropertyId : byte
{
    PayloadFormat = 0x01,
    MessageExpiry = 0x02,
    ContentType = 0x03,
    ResponseTopic = 0x08,
    CorrelationData = 0x09,
    SubscriptionId = 0x0B,
    SessionExpiry = 0x11,
    AssignedClientId = 0x12,
    ServerKeepAlive = 0x13,
    AuthMethod = 0x15,
    AuthData = 0x16,
    RequestProblemInfo = 0x17,
    WillDelay = 0x18,
    RequestResponseInfo = 0x19,
    ResponseInfo = 0x1A,
    ServerReference = 0x1C,
    ReasonString = 0x1F,
    ReceiveMaximum = 0x21,
    TopicAliasMaximum = 0x22,
    TopicAlias = 0x23,
    MaximumQos = 0x24,
    RetainAvailable = 0x25,
    UserProperty = 0x26,
    MaximumPacketSize = 0x27,
    WildcardAvailable = 0x28,
    SubscriptionIdAvailable = 0x29,
    SharedAvailable = 0x2A,
}

internal enum PropertyKind : byte
{
    None,
    Byte,
    UInt16,
    UInt32,
    VarInt,
    Text,
    Binary,
    Pair,
}

/// <summary>One property: a number, or a value (string or byte[]), for user properties with a name.</summary>
internal readonly record struct Property(PropertyId Id, uint Number, object? Value = null, string? Name = null);

/// <summary>The properties of one packet in wire order (section 2.2.2). Immutable once shared: changes are made through copies.</summary>
internal sealed class MqttProperties
{
    public const ulong None = 0;
    public static readonly ulong Publish = Mask(PropertyId.PayloadFormat, PropertyId.MessageExpiry, PropertyId.ContentType,
        PropertyId.ResponseTopic, PropertyId.CorrelationData, PropertyId.SubscriptionId, PropertyId.TopicAlias, PropertyId.UserProperty);
    public static readonly ulong Will = Mask(PropertyId.PayloadFormat, PropertyId.MessageExpiry, PropertyId.ContentType,
        PropertyId.ResponseTopic, PropertyId.CorrelationData, PropertyId.WillDelay, PropertyId.UserProperty);
    public static readonly ulong Connect = Mask(PropertyId.SessionExpiry, PropertyId.AuthMethod, PropertyId.AuthData,
        PropertyId.RequestProblemInfo, PropertyId.RequestResponseInfo, PropertyId.ReceiveMaximum, PropertyId.TopicAliasMaximum,
        PropertyId.UserProperty, PropertyId.MaximumPacketSize);
    public static readonly ulong ConnAck = Mask(PropertyId.SessionExpiry, PropertyId.AssignedClientId, PropertyId.ServerKeepAlive,
        PropertyId.AuthMethod, PropertyId.AuthData, PropertyId.ResponseInfo, PropertyId.ServerReference, PropertyId.ReasonString,
        PropertyId.ReceiveMaximum, PropertyId.TopicAliasMaximum, PropertyId.MaximumQos, PropertyId.RetainAvailable,
        PropertyId.UserProperty, PropertyId.MaximumPacketSize, PropertyId.WildcardAvailable, PropertyId.SubscriptionIdAvailable,
        PropertyId.SharedAvailable);
    public static readonly ulong Ack = Mask(PropertyId.ReasonString, PropertyId.UserProperty);
    public static readonly ulong Subscribe = Mask(PropertyId.SubscriptionId, PropertyId.UserProperty);
    public static readonly ulong Unsubscribe = Mask(PropertyId.UserProperty);
    public static readonly ulong Disconnect = Mask(PropertyId.SessionExpiry, PropertyId.ServerReference, PropertyId.ReasonString,
        PropertyId.UserProperty);
    public static readonly ulong Auth = Mask(PropertyId.AuthMethod, PropertyId.AuthData, PropertyId.ReasonString, PropertyId.UserProperty);

    private readonly List<Property> _items;

    public MqttProperties() => _items = [];

    private MqttProperties(List<Property> items) => _items = items;

    public ReadOnlySpan<Property> Items => CollectionsMarshal.AsSpan(_items);

    public static ulong Mask(params ReadOnlySpan<PropertyId> ids)
    {
        ulong mask = 0;
        foreach (PropertyId id in ids)
        {
            mask |= 1UL << (int)id;
        }

        return mask;
    }

    public static PropertyKind KindOf(PropertyId id) => id switch
    {
        PropertyId.PayloadFormat or PropertyId.RequestProblemInfo or PropertyId.RequestResponseInfo or PropertyId.MaximumQos
            or PropertyId.RetainAvailable or PropertyId.WildcardAvailable or PropertyId.SubscriptionIdAvailable
            or PropertyId.SharedAvailable => PropertyKind.Byte,
        PropertyId.ServerKeepAlive or PropertyId.ReceiveMaximum or PropertyId.TopicAliasMaximum or PropertyId.TopicAlias => PropertyKind.UInt16,
        PropertyId.MessageExpiry or PropertyId.SessionExpiry or PropertyId.WillDelay or PropertyId.MaximumPacketSize => PropertyKind.UInt32,
        PropertyId.SubscriptionId => PropertyKind.VarInt,
        PropertyId.ContentType or PropertyId.ResponseTopic or PropertyId.AssignedClientId or PropertyId.AuthMethod
            or PropertyId.ResponseInfo or PropertyId.ServerReference or PropertyId.ReasonString => PropertyKind.Text,
        PropertyId.CorrelationData or PropertyId.AuthData => PropertyKind.Binary,
        PropertyId.UserProperty => PropertyKind.Pair,
        _ => PropertyKind.None,
    };

    /// <summary>A copy in which <paramref name="id"/> has the given value; a null value removes it.</summary>
    public static MqttProperties? With(MqttProperties? old, PropertyId id, uint? number = null, object? value = null)
    {
        var items = old is null ? [] : old._items.FindAll(p => p.Id != id);
        if (number is not null || value is not null)
        {
            items.Add(new Property(id, number ?? 0, value));
        }

        return items.Count == 0 ? null : new MqttProperties(items);
    }

    public static MqttProperties? WithUser(MqttProperties? old, IEnumerable<KeyValuePair<string, string>> pairs)
    {
        var items = old is null ? [] : old._items.FindAll(p => p.Id != PropertyId.UserProperty);
        foreach ((string name, string value) in pairs)
        {
            items.Add(new Property(PropertyId.UserProperty, 0, value, name));
        }

        return items.Count == 0 ? null : new MqttProperties(items);
    }

    public MqttProperties Add(PropertyId id, uint number)
    {
        _items.Add(new Property(id, number));
        return this;
    }

    public MqttProperties Add(PropertyId id, object value, string? name = null)
    {
        _items.Add(new Property(id, 0, value, name));
        return this;
    }

    public uint? Number(PropertyId id)
    {
        foreach (ref readonly Property p in Items)
        {
            if (p.Id == id)
            {
                return p.Number;
            }
        }

        return null;
    }

    public object? Value(PropertyId id)
    {
        foreach (ref readonly Property p in Items)
        {
            if (p.Id == id)
            {
                return p.Value;
            }
        }

        return null;
    }

    public List<KeyValuePair<string, string>> UserProperties()
    {
        var pairs = new List<KeyValuePair<string, string>>();
        foreach (ref readonly Property p in Items)
        {
            if (p.Id == PropertyId.UserProperty)
            {
                pairs.Add(new(p.Name!, (string)p.Value!));
            }
        }

        return pairs;
    }

    public List<uint> SubscriptionIds() => _items.FindAll(p => p.Id == PropertyId.SubscriptionId).ConvertAll(p => p.Number);
}
