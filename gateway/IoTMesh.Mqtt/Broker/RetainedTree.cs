using IoTMesh.Mqtt.Codec;

namespace IoTMesh.Mqtt.Broker;

internal readonly record struct Retained(MqttMessage Message, long ExpiresAtMs);

/// <summary>Retained messages, a level of the topic a node (OASIS MQTT 5.0 section 3.3.1.3). Not thread-safe: the router's lock guards it.</summary>
internal sealed class RetainedTree(int messagesMax, long bytesMax)
{
    private sealed class Node
    {
        public Dictionary<string, Node>? Children;
        public Retained? Value;
    }

    private readonly Node _root = new();
    private long _bytes;

    public int Count { get; private set; }

    /// <summary>Keeps, replaces, or (empty payload) removes. False: full, nothing changed.</summary>
    public bool Set(MqttMessage message, long expiresAtMs)
    {
        if (message.Payload.IsEmpty)
        {
            Remove(_root, message.Topic);
            return true;
        }

        Node? old = Find(message.Topic);
        long change = Bytes(message) - (old?.Value is Retained before ? Bytes(before.Message) : 0);
        bool isNew = old?.Value is null;
        if ((isNew && Count >= messagesMax) || (change > 0 && _bytes + change > bytesMax))
        {
            return false;
        }

        (old ?? Make(message.Topic)).Value = new Retained(message, expiresAtMs);
        _bytes += change;
        Count += isNew ? 1 : 0;
        return true;
    }

    /// <summary>Adds to <paramref name="found"/> what a filter selects; what has expired is removed.</summary>
    public void Match(string filter, long nowMs, List<Retained> found)
    {
        int first = found.Count;
        Collect(_root, filter, first: true, found);
        for (int i = found.Count - 1; i >= first; i--)
        {
            if (found[i].ExpiresAtMs <= nowMs)
            {
                Remove(_root, found[i].Message.Topic);
                found.RemoveAt(i);
            }
        }
    }

    /// <summary>Removes all that has expired.</summary>
    public void Sweep(long nowMs)
    {
        var expired = new List<string>();
        Expired(_root, nowMs, expired);
        foreach (string topic in expired)
        {
            Remove(_root, topic);
        }
    }

    private static long Bytes(MqttMessage message) => message.Payload.Length + (2L * message.Topic.Length) + 64;

    private static void Expired(Node node, long nowMs, List<string> expired)
    {
        if (node.Value is Retained value && value.ExpiresAtMs <= nowMs)
        {
            expired.Add(value.Message.Topic);
        }

        if (node.Children is not null)
        {
            foreach (Node child in node.Children.Values)
            {
                Expired(child, nowMs, expired);
            }
        }
    }

    private Node? Find(ReadOnlySpan<char> topic)
    {
        Node? node = _root;
        for (bool more = true; more && node is not null;)
        {
            ReadOnlySpan<char> level = Topics.NextLevel(ref topic, out more);
            Node? child = null;
            node.Children?.GetAlternateLookup<ReadOnlySpan<char>>().TryGetValue(level, out child);
            node = child;
        }

        return node;
    }

    private Node Make(string topic)
    {
        Node node = _root;
        foreach (string level in topic.Split('/'))
        {
            node.Children ??= [];
            if (!node.Children.TryGetValue(level, out Node? child))
            {
                child = new Node();
                node.Children.Add(level, child);
            }

            node = child;
        }

        return node;
    }

    private void Remove(Node node, ReadOnlySpan<char> topic)
    {
        ReadOnlySpan<char> level = Topics.NextLevel(ref topic, out bool more);
        Node? child = null;
        node.Children?.GetAlternateLookup<ReadOnlySpan<char>>().TryGetValue(level, out child);
        if (child is null)
        {
            return;
        }

        if (more)
        {
            Remove(child, topic);
        }
        else if (child.Value is Retained value)
        {
            _bytes -= Bytes(value.Message);
            Count--;
            child.Value = null;
        }

        if (child.Value is null && child.Children is null or { Count: 0 })
        {
            node.Children!.Remove(level.ToString());
        }
    }

    private static void Collect(Node node, ReadOnlySpan<char> filter, bool first, List<Retained> found)
    {
        ReadOnlySpan<char> level = Topics.NextLevel(ref filter, out bool more);
        if (level is "#")
        {
            // Section 4.7.1.2: # stands for its parent level too.
            CollectAll(node, first, found);
            return;
        }

        if (node.Children is null)
        {
            return;
        }

        if (level is "+")
        {
            foreach ((string name, Node child) in node.Children)
            {
                if (!first || !name.StartsWith('$'))
                {
                    Step(child, filter, more, found);
                }
            }
        }
        else if (node.Children.GetAlternateLookup<ReadOnlySpan<char>>().TryGetValue(level, out Node? child))
        {
            Step(child, filter, more, found);
        }
    }

    private static void Step(Node child, ReadOnlySpan<char> filter, bool more, List<Retained> found)
    {
        if (more)
        {
            Collect(child, filter, first: false, found);
        }
        else if (child.Value is Retained value)
        {
            found.Add(value);
        }
    }

    private static void CollectAll(Node node, bool first, List<Retained> found)
    {
        if (node.Value is Retained value)
        {
            found.Add(value);
        }

        if (node.Children is not null)
        {
            foreach ((string name, Node child) in node.Children)
            {
                if (!first || !name.StartsWith('$'))
                {
                    CollectAll(child, first: false, found);
                }
            }
        }
    }
}
