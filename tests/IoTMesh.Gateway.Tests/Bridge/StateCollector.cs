using System.Text;
using System.Text.Json;
using IoTMesh.Mqtt;

namespace IoTMesh.Gateway.Tests.Bridge;

/// <summary>A subscriber that keeps what it gets.</summary>
public sealed class StateCollector(int port, string filter) : IAsyncDisposable
{
    private readonly Lock _gate = new();
    private readonly List<MqttMessage> _messages = [];
    private MqttClient? _client;

    public IReadOnlyList<MqttMessage> Messages
    {
        get
        {
            lock (_gate)
            {
                return [.. _messages];
            }
        }
    }

    /// <summary>Sequence numbers in the order of arrival.</summary>
    public IReadOnlyList<long> Sequences => Messages.Select(m => Json(m).GetProperty("seq").GetInt64()).ToList();

    public static JsonElement Json(MqttMessage message)
    {
        return JsonDocument.Parse(message.Payload).RootElement;
    }

    public static string Text(MqttMessage message)
    {
        return Encoding.UTF8.GetString(message.Payload.Span);
    }

    public async Task StartAsync()
    {
        _client = new MqttClient(
            new MqttClientOptions { Port = port, ReconnectMin = TimeSpan.FromMilliseconds(20), ReconnectMax = TimeSpan.FromMilliseconds(100) })
        {
            MessageReceived = message =>
            {
                lock (_gate)
                {
                    _messages.Add(message);
                }

                return ValueTask.CompletedTask;
            },
        };
        await _client.SubscribeAsync(filter, 1);
        _client.Start();
        await Eventually.HoldsAsync(() => _client.IsConnected, "the subscriber is connected");
    }

    public Task PublishAsync(string topic, string payload, Func<MqttMessage, MqttMessage>? change = null)
    {
        var message = new MqttMessage(topic, Encoding.UTF8.GetBytes(payload), Qos: 1);
        return _client!.PublishAsync(change is null ? message : change(message));
    }

    public async ValueTask DisposeAsync()
    {
        if (_client is not null)
        {
            await _client.DisposeAsync();
        }
    }
}

/// <summary>Waits for what other threads and processes bring about.</summary>
public static class Eventually
{
    public static async Task HoldsAsync(Func<bool> condition, string what, int timeoutMs = 20_000)
    {
        for (long until = Environment.TickCount64 + timeoutMs; !condition(); await Task.Delay(15))
        {
            if (Environment.TickCount64 > until)
            {
                Assert.Fail($"not within {timeoutMs / 1000} s: {what}");
            }
        }
    }
}
