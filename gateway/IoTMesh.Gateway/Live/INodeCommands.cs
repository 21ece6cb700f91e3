namespace IoTMesh.Gateway.Live;

/// <summary>What a node said to a request.</summary>
/// <param name="Text">The values it answered with, or why there is no answer, for people.</param>
/// <param name="Milliseconds">From the request to the answer.</param>
public sealed record NodeAnswer(bool Ok, string Text, double Milliseconds);

/// <summary>The way of the pages to ask a node something. Any thread; waits for the answer, never longer than the command timeout.</summary>
public interface INodeCommands
{
    /// <param name="who">The user, for the audit.</param>
    /// <param name="nodeId">Topic and page id.</param>
    /// <param name="operation">ping, identify, get or set.</param>
    /// <param name="key">For get and set; empty for the others.</param>
    /// <param name="value">For set: true or false, a whole number, or a text.</param>
    Task<NodeAnswer> SendAsync(string who, string nodeId, string operation, string key, string value, CancellationToken cancellationToken);
}
