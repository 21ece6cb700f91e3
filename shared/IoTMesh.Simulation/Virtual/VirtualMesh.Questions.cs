using IoTMesh.Core;

namespace IoTMesh.Simulation;

public sealed partial class VirtualMesh
{
    /// <summary>Has a node ask another; NotReady while it is down, QueueFull while it waits for another answer.</summary>
    /// <param name="token">Of what the observer is told: Answered, and Completed at the end.</param>
    public SendResult Ask(int from, Question question, ushort destination, out int token)
    {
        VirtualNode entry = _nodes[from - 1];
        token = 0;
        if (entry.Core is null)
        {
            return SendResult.NotReady;
        }

        SendResult result = question == Question.Trace
            ? entry.Core.Trace(LocalMs(entry), destination, out token)
            : entry.Core.Ping(LocalMs(entry), destination, out token);
        Touch(entry);
        return result;
    }
}
