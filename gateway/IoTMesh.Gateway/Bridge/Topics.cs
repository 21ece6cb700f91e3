namespace IoTMesh.Gateway.Bridge;

/// <summary>Topic names of one site and gateway. docs/operations.md lists them.</summary>
public sealed class Topics(string site, string gateway)
{
    public string Root { get; } = $"iotmesh/v1/{site}";

    /// <summary>online or offline; the gateway's Will.</summary>
    public string GatewayState => Gateway("state");

    public string Gateway(string leaf)
    {
        return $"{Root}/gw/{gateway}/{leaf}";
    }

    public string Node(string id, string leaf)
    {
        return $"{Root}/node/{id}/{leaf}";
    }

    /// <summary>Takes <c>.../gw/&lt;gw&gt;/req/&lt;op&gt;</c> apart.</summary>
    public bool TryParseRequest(string topic, out string operation)
    {
        string prefix = Gateway("req/");
        operation = topic.StartsWith(prefix, StringComparison.Ordinal) ? topic[prefix.Length..] : "";
        return operation.Length > 0;
    }

    /// <summary>Takes <c>.../node/&lt;id&gt;/set</c> or <c>get</c> apart.</summary>
    public bool TryParseCommand(string topic, out string node, out string operation)
    {
        string prefix = $"{Root}/node/";
        node = operation = "";
        int slash = topic.LastIndexOf('/');
        if (!topic.StartsWith(prefix, StringComparison.Ordinal) || slash <= prefix.Length)
        {
            return false;
        }

        node = topic[prefix.Length..slash];
        operation = topic[(slash + 1)..];
        return operation is "set" or "get";
    }
}
