namespace IoTMesh.Mqtt;

/// <summary>One application message.</summary>
public sealed record MqttMessage(string Topic, ReadOnlyMemory<byte> Payload, byte Qos = 0, bool Retain = false)
{
    /// <summary>MQTT 5 properties; ignored on 3.1.1 connections.</summary>
    public string? ContentType { get; init; }

    public string? ResponseTopic { get; init; }

    public ReadOnlyMemory<byte> CorrelationData { get; init; }

    public uint? MessageExpirySeconds { get; init; }

    public IReadOnlyList<KeyValuePair<string, string>> UserProperties { get; init; } = [];
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

    /// <summary>QoS 0: handed to the connection. QoS 1 and 2: completes when the broker has acknowledged. Throws <see cref="MqttException"/> while not connected or when refused.</summary>
    Task PublishAsync(MqttMessage message, CancellationToken cancellationToken = default);

    /// <summary>Remembers the subscription and makes it on this and every later connection.</summary>
    Task SubscribeAsync(string topicFilter, byte qos, CancellationToken cancellationToken = default);

    /// <summary>Sends DISCONNECT (no Will) and stops.</summary>
    Task StopAsync(CancellationToken cancellationToken = default);
}

/// <summary>What went wrong in a sentence that names the broker or topic.</summary>
public sealed class MqttException(string message, byte reasonCode = 0x80, Exception? inner = null) : Exception(message, inner)
{
    public byte ReasonCode { get; } = reasonCode;
}
