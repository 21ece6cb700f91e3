using IoTMesh.Mqtt.Session;

namespace IoTMesh.Mqtt.Broker;

/// <summary>Counts since the start, thread-safe.</summary>
internal sealed class BrokerCounters
{
    private long _in;
    private long _out;
    private long _droppedSlow;
    private long _droppedQueueFull;
    private long _droppedOther;
    private long _malformed;
    private long _refused;

    public void Received() => Interlocked.Increment(ref _in);

    public void Sent(int count) => Interlocked.Add(ref _out, count);

    public void Malformed() => Interlocked.Increment(ref _malformed);

    public void Refused() => Interlocked.Increment(ref _refused);

    public void Dropped(SendResult why, byte qos) =>
        Interlocked.Increment(ref why != SendResult.Full ? ref _droppedOther : ref qos == 0 ? ref _droppedSlow : ref _droppedQueueFull);

    public MqttBrokerCounters Snapshot(int clients, int sessions, int subscriptions, int retained) => new(
        clients, sessions, subscriptions, retained, Interlocked.Read(ref _in), Interlocked.Read(ref _out), Interlocked.Read(ref _droppedSlow),
        Interlocked.Read(ref _droppedQueueFull), Interlocked.Read(ref _droppedOther), Interlocked.Read(ref _malformed),
        Interlocked.Read(ref _refused));
}
