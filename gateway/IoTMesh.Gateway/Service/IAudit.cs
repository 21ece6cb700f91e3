using IoTMesh.Gateway.Storage;

namespace IoTMesh.Gateway.Service;

/// <summary>Who did what to what: each command, login, failed login and change of tokens. Any thread; does not block.</summary>
public interface IAudit
{
    /// <param name="who">A user's or token's name, <c>mqtt</c>, <c>local</c> (this machine, where no users are set), or unknown.</param>
    /// <param name="what">What was tried, in a word or two: <c>login</c>, <c>command</c>, <c>create-token</c>.</param>
    /// <param name="target">A node's id, a token's name, the address that a login came from.</param>
    /// <param name="result"><c>ok</c>, what came of it, or why nothing did.</param>
    void Note(string who, string what, string target, string result);
}

/// <summary>The audit in the gateway's database.</summary>
internal sealed class StoreAudit(GatewayStore store) : IAudit
{
    /// <inheritdoc/>
    public void Note(string who, string what, string target, string result)
    {
        store.TryAudit(who, what, target, result);
    }
}
