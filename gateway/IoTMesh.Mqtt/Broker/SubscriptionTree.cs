using IoTMesh.Mqtt.Codec;

namespace IoTMesh.Mqtt.Broker;

/// <summary>One subscription of one session (OASIS MQTT 5.0 section 3.8.3.1).</summary>
internal sealed record Subscription(BrokerSession Session, SubscribeRow Row, uint Id);

/// <summary>Where a topic goes: one entry for each session, its overlapping subscriptions merged (section 3.3.4).</summary>
internal sealed class Route(BrokerSession session)
{
    public const int None = -1;

    public BrokerSession Session { get; } = session;

    /// <summary>Highest QoS granted; <see cref="None"/> where only no-local subscriptions match.</summary>
    public int Qos { get; private set; } = None;

    /// <summary>The same without no-local subscriptions: what the publisher itself gets.</summary>
    public int LocalQos { get; private set; } = None;

    public bool RetainAsPublished { get; private set; }

    public uint[]? Ids { get; private set; }

    public uint[]? LocalIds { get; private set; }

    public void Add(Subscription subscription)
    {
        Qos = Math.Max(Qos, subscription.Row.Qos);
        RetainAsPublished |= subscription.Row.RetainAsPublished;
        Ids = Append(Ids, subscription.Id);
        if (!subscription.Row.NoLocal)
        {
            LocalQos = Math.Max(LocalQos, subscription.Row.Qos);
            LocalIds = Append(LocalIds, subscription.Id);
        }
    }

    private static uint[]? Append(uint[]? ids, uint id) => id == 0 ? ids : ids is null ? [id] : [.. ids, id];
}

/// <summary>Whose turn it is in a shared subscription, whatever the topic.</summary>
internal sealed class ShareTurn
{
    private int _next;

    public int Next() => Interlocked.Increment(ref _next) & int.MaxValue;
}

/// <summary>Members of one shared subscription; each message goes to the next (section 4.8.2).</summary>
internal sealed class SharedGroup(ShareTurn turn)
{
    public List<Route> Members { get; } = [];

    /// <summary>The next member that is connected, else the next one.</summary>
    public Route Pick()
    {
        int start = turn.Next();
        for (int i = 0; i < Members.Count; i++)
        {
            Route route = Members[(start + i) % Members.Count];
            if (route.Session.IsConnected)
            {
                return route;
            }
        }

        return Members[start % Members.Count];
    }
}

internal sealed record RouteTable(Route[] Routes, SharedGroup[] Shared);

/// <summary>All subscriptions, a level of the filter a node. Thread-safe; answers may be cached while <see cref="Version"/> stays.</summary>
internal sealed class SubscriptionTree
{
    private sealed class Share
    {
        public readonly Dictionary<BrokerSession, Subscription> Members = [];
        public readonly ShareTurn Turn = new();
    }

    private sealed class Node
    {
        public Dictionary<string, Node>? Children;
        public Dictionary<BrokerSession, Subscription>? Subscriptions;
        public Dictionary<string, Share>? Shared;

        public bool IsEmpty => Children is null or { Count: 0 } && Subscriptions is null or { Count: 0 } && Shared is null or { Count: 0 };
    }

    private readonly Lock _gate = new();
    private readonly Node _root = new();
    private volatile int _version;
    private int _count;

    public int Version => _version;

    public int Count => Volatile.Read(ref _count);

    public void Add(Subscription subscription)
    {
        Split(subscription.Row.Filter, out string? share, out string filter);
        lock (_gate)
        {
            Node node = _root;
            foreach (string level in filter.Split('/'))
            {
                node.Children ??= [];
                if (!node.Children.TryGetValue(level, out Node? child))
                {
                    child = new Node();
                    node.Children.Add(level, child);
                }

                node = child;
            }

            Dictionary<BrokerSession, Subscription> members;
            if (share is null)
            {
                members = node.Subscriptions ??= [];
            }
            else
            {
                node.Shared ??= [];
                if (!node.Shared.TryGetValue(share, out Share? group))
                {
                    group = node.Shared[share] = new Share();
                }

                members = group.Members;
            }

            _count += members.ContainsKey(subscription.Session) ? 0 : 1;
            members[subscription.Session] = subscription;
            _version++;
        }
    }

    public void Remove(BrokerSession session, string sharedFilter)
    {
        Split(sharedFilter, out string? share, out string filter);
        lock (_gate)
        {
            if (Remove(_root, filter, share, session))
            {
                _count--;
                _version++;
            }
        }
    }

    /// <summary>Who gets a message on <paramref name="topic"/>.</summary>
    public RouteTable Match(string topic, out int version)
    {
        var routes = new Dictionary<BrokerSession, Route>();
        var shared = new List<SharedGroup>();
        lock (_gate)
        {
            version = _version;
            Collect(_root, topic, first: true, routes, shared);
        }

        return new RouteTable([.. routes.Values], [.. shared]);
    }

    private static void Split(string sharedFilter, out string? share, out string filter)
    {
        share = null;
        filter = sharedFilter;
        if (Topics.IsShared(sharedFilter))
        {
            Topics.SplitShared(sharedFilter, out share, out filter);
        }
    }

    private static bool Remove(Node node, ReadOnlySpan<char> filter, string? share, BrokerSession session)
    {
        string level = Topics.NextLevel(ref filter, out bool more).ToString();
        if (node.Children is null || !node.Children.TryGetValue(level, out Node? child))
        {
            return false;
        }

        bool removed;
        if (more)
        {
            removed = Remove(child, filter, share, session);
        }
        else if (share is null)
        {
            removed = child.Subscriptions?.Remove(session) ?? false;
        }
        else
        {
            removed = child.Shared is not null && child.Shared.TryGetValue(share, out Share? group) && group.Members.Remove(session);
            if (removed && child.Shared![share].Members.Count == 0)
            {
                child.Shared.Remove(share);
            }
        }

        if (child.IsEmpty)
        {
            node.Children.Remove(level);
        }

        return removed;
    }

    // Section 4.7.1: # also matches the parent level; section 4.7.2: no wildcard at the start matches a topic that begins with $.
    private static void Collect(
        Node node, ReadOnlySpan<char> topic, bool first, Dictionary<BrokerSession, Route> routes, List<SharedGroup> shared)
    {
        if (node.Children is null)
        {
            return;
        }

        bool wildcards = !first || topic[0] != '$';
        if (wildcards && node.Children.TryGetValue("#", out Node? all))
        {
            Take(all, routes, shared);
        }

        ReadOnlySpan<char> level = Topics.NextLevel(ref topic, out bool more);
        if (node.Children.GetAlternateLookup<ReadOnlySpan<char>>().TryGetValue(level, out Node? exact))
        {
            Descend(exact, topic, more, routes, shared);
        }

        if (wildcards && node.Children.TryGetValue("+", out Node? any))
        {
            Descend(any, topic, more, routes, shared);
        }
    }

    private static void Descend(
        Node node, ReadOnlySpan<char> rest, bool more, Dictionary<BrokerSession, Route> routes, List<SharedGroup> shared)
    {
        if (more)
        {
            Collect(node, rest, first: false, routes, shared);
            return;
        }

        Take(node, routes, shared);
        if (node.Children is not null && node.Children.TryGetValue("#", out Node? all))
        {
            Take(all, routes, shared);
        }
    }

    private static void Take(Node node, Dictionary<BrokerSession, Route> routes, List<SharedGroup> shared)
    {
        if (node.Subscriptions is not null)
        {
            foreach (Subscription subscription in node.Subscriptions.Values)
            {
                if (!routes.TryGetValue(subscription.Session, out Route? route))
                {
                    route = routes[subscription.Session] = new Route(subscription.Session);
                }

                route.Add(subscription);
            }
        }

        if (node.Shared is not null)
        {
            foreach (Share share in node.Shared.Values)
            {
                var group = new SharedGroup(share.Turn);
                foreach (Subscription subscription in share.Members.Values)
                {
                    var route = new Route(subscription.Session);
                    route.Add(subscription);
                    group.Members.Add(route);
                }

                shared.Add(group);
            }
        }
    }
}
