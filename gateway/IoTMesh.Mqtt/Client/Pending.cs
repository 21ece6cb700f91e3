using IoTMesh.Mqtt.Session;

namespace IoTMesh.Mqtt.Client;

/// <summary>A publish that waits for its acknowledgement.</summary>
internal sealed class PendingPublish(string topic) : TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously)
{
    public void Complete(in Completion completion, string broker)
    {
        if (completion.Lost)
        {
            TrySetException(new MqttException(
                $"The connection to {broker} was lost before the message on \"{topic}\" was acknowledged; it may or may not have arrived.",
                (byte)MqttReason.ServerUnavailable));
        }
        else if (completion.Reason >= MqttReason.UnspecifiedError)
        {
            TrySetException(new MqttException(
                $"The broker {broker} refused the message on \"{topic}\": {completion.Reason.Describe()}.", (byte)completion.Reason));
        }
        else
        {
            TrySetResult();
        }
    }
}

/// <summary>A SUBSCRIBE or UNSUBSCRIBE that waits for its answer: null where the connection was lost first.</summary>
internal sealed class PendingRequest(string[] filters, bool isAwaited)
    : TaskCompletionSource<IReadOnlyList<MqttReason>?>(TaskCreationOptions.RunContinuationsAsynchronously)
{
    public string[] Filters => filters;

    /// <summary>False: made again by the client itself after a reconnect.</summary>
    public bool IsAwaited => isAwaited;
}
