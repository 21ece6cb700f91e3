using IoTMesh.Mqtt.Codec;

namespace IoTMesh.Mqtt;

/// <summary>One application message.</summary>
public sealed record MqttMessage(string Topic, ReadOnlyMemory<byte> Payload, byte Qos = 0, bool Retain = false)
{
    /// <summary>MQTT 5 properties; ignored on 3.1.1 connections.</summary>
    public string? ContentType
    {
        get => (string?)Properties?.Value(PropertyId.ContentType);
        init => Properties = MqttProperties.With(Properties, PropertyId.ContentType, value: value);
    }

    public string? ResponseTopic
    {
        get => (string?)Properties?.Value(PropertyId.ResponseTopic);
        init => Properties = MqttProperties.With(Properties, PropertyId.ResponseTopic, value: value);
    }

    public ReadOnlyMemory<byte> CorrelationData
    {
        get => (byte[]?)Properties?.Value(PropertyId.CorrelationData);
        init => Properties = MqttProperties.With(Properties, PropertyId.CorrelationData, value: value.IsEmpty ? null : value.ToArray());
    }

    public uint? MessageExpirySeconds
    {
        get => Properties?.Number(PropertyId.MessageExpiry);
        init => Properties = MqttProperties.With(Properties, PropertyId.MessageExpiry, value);
    }

    /// <summary>The payload is UTF-8 text.</summary>
    public bool IsText
    {
        get => Properties?.Number(PropertyId.PayloadFormat) == 1;
        init => Properties = MqttProperties.With(Properties, PropertyId.PayloadFormat, value ? 1 : null);
    }

    /// <summary>Of a Will only: how long the broker waits for the client to come back before it publishes it.</summary>
    public uint? WillDelaySeconds
    {
        get => Properties?.Number(PropertyId.WillDelay);
        init => Properties = MqttProperties.With(Properties, PropertyId.WillDelay, value);
    }

    public IReadOnlyList<KeyValuePair<string, string>> UserProperties
    {
        get => Properties?.UserProperties() ?? [];
        init => Properties = MqttProperties.WithUser(Properties, value);
    }

    /// <summary>Of a received message only: the identifiers of the subscriptions it came by.</summary>
    public IReadOnlyList<uint> SubscriptionIds => Properties?.SubscriptionIds() ?? [];

    internal MqttProperties? Properties { get; init; }
}

public enum MqttProtocol
{
    V311 = 4,
    V5 = 5,
}

/// <summary>How to reach and present oneself to a broker. Immutable; the defaults suit a local broker.</summary>
public sealed record MqttClientOptions
{
    public string Host { get; init; } = "127.0.0.1";

    public int Port { get; init; } = 1883;

    public bool UseTls { get; init; }

    public MqttProtocol Protocol { get; init; } = MqttProtocol.V5;

    /// <summary>Empty: the broker (5) or the client (3.1.1) makes one up.</summary>
    public string ClientId { get; init; } = "";

    public string? UserName { get; init; }

    public string? Password { get; init; }

    public bool CleanStart { get; init; } = true;

    public uint SessionExpirySeconds { get; init; }

    public int KeepAliveSeconds { get; init; } = 30;

    public MqttMessage? Will { get; init; }

    public TimeSpan ConnectTimeout { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>First and longest pause between tries to reconnect; jittered.</summary>
    public TimeSpan ReconnectMin { get; init; } = TimeSpan.FromMilliseconds(250);

    public TimeSpan ReconnectMax { get; init; } = TimeSpan.FromSeconds(15);

    /// <summary>Authorities, client certificate and pins where the defaults do not suit; <see cref="UseTls"/> must be set.</summary>
    public MqttTlsOptions? Tls { get; init; }

    /// <summary>QoS 1 and 2 messages sent and not yet acknowledged; the broker may allow fewer, and the rest waits.</summary>
    public int SendMaximum { get; init; } = 1_000;

    /// <summary>QoS 1 and 2 messages that wait for the window; one more and publishing throws.</summary>
    public int QueuedMessagesMax { get; init; } = 100_000;

    /// <summary>The same from the broker to us: received and not yet handled (5.0 only).</summary>
    public int ReceiveMaximum { get; init; } = 1_000;

    /// <summary>Largest packet taken from the broker, in bytes.</summary>
    public int PacketBytesMax { get; init; } = 16 << 20;

    /// <summary>Received messages that wait for the handler; beyond it QoS 0 messages are dropped and counted.</summary>
    public int ReceivedMessagesMax { get; init; } = 10_000;

    /// <summary>One line about what went wrong without ending the connection: a refused subscription, a failed handler.</summary>
    public Action<string>? Log { get; init; }
}

/// <summary>A client that stays connected: what the gateway needs of any MQTT library.</summary>
public interface IMqttClient : IAsyncDisposable
{
    bool IsConnected { get; }

    /// <summary>Connected (true) or lost (false, with the reason as a sentence). Raised outside any lock.</summary>
    event Action<bool, string>? ConnectionChanged;

    /// <summary>Called for each received message, one at a time, in order.</summary>
    Func<MqttMessage, ValueTask>? MessageReceived { get; set; }

    /// <summary>Starts connecting and reconnecting in the background; returns at once.</summary>
    void Start();

    /// <summary>
    /// QoS 0: handed to the connection. QoS 1 and 2: completes when the broker has acknowledged. Throws <see cref="MqttException"/> while
    /// not connected or when refused.
    /// </summary>
    Task PublishAsync(MqttMessage message, CancellationToken cancellationToken = default);

    /// <summary>
    /// Remembers the subscription and makes it on this and every later connection. Completes when the broker has granted it, at once while
    /// not connected. Throws <see cref="MqttException"/> when refused; it is then forgotten.
    /// </summary>
    Task SubscribeAsync(string topicFilter, byte qos, CancellationToken cancellationToken = default);

    /// <summary>Forgets a subscription and ends it at the broker.</summary>
    Task UnsubscribeAsync(string topicFilter, CancellationToken cancellationToken = default);

    /// <summary>Sends DISCONNECT (no Will) and stops.</summary>
    Task StopAsync(CancellationToken cancellationToken = default);
}

/// <summary>What went wrong in a sentence that names the broker or topic.</summary>
public sealed class MqttException(string message, byte reasonCode = 0x80, Exception? inner = null) : Exception(message, inner)
{
    public byte ReasonCode { get; } = reasonCode;
}
