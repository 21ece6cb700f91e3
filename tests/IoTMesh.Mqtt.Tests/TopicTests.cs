using IoTMesh.Mqtt.Broker;
using IoTMesh.Mqtt.Codec;

namespace IoTMesh.Mqtt.Tests;

/// <summary>OASIS MQTT 5.0 section 4.7.</summary>
public sealed class TopicTests
{
    [Theory]
    [InlineData("sport/tennis/player1/#", "sport/tennis/player1", true)]
    [InlineData("sport/tennis/player1/#", "sport/tennis/player1/ranking", true)]
    [InlineData("sport/tennis/player1/#", "sport/tennis/player1/score/wimbledon", true)]
    [InlineData("sport/#", "sport", true)]
    [InlineData("#", "a/b", true)]
    [InlineData("sport/tennis/+", "sport/tennis/player1", true)]
    [InlineData("sport/tennis/+", "sport/tennis/player1/ranking", false)]
    [InlineData("sport/+", "sport", false)]
    [InlineData("sport/+", "sport/", true)]
    [InlineData("+/+", "/finance", true)]
    [InlineData("/+", "/finance", true)]
    [InlineData("+", "/finance", false)]
    [InlineData("#", "$SYS/a", false)]
    [InlineData("+/monitor", "$SYS/monitor", false)]
    [InlineData("$SYS/#", "$SYS/a", true)]
    [InlineData("$SYS/+", "$SYS/a", true)]
    [InlineData("a/b", "a/b/c", false)]
    [InlineData("a/b/c", "a/b", false)]
    [InlineData("A/b", "a/b", false)]
    public void A_filter_selects_what_the_standard_says(string filter, string topic, bool expected)
    {
        Assert.Equal(expected, Topics.Matches(filter, topic));
        Assert.Equal(expected, InTree(filter, topic));
        var retained = new RetainedTree(10, 1000);
        retained.Set(new MqttMessage(topic, "x"u8.ToArray()), long.MaxValue);
        var found = new List<Retained>();
        retained.Match(filter, 0, found);
        Assert.Equal(expected, found.Count == 1);
    }

    [Theory]
    [InlineData("sport/tennis#", false)]
    [InlineData("sport/#/ranking", false)]
    [InlineData("sport+", false)]
    [InlineData("", false)]
    [InlineData("$share//a", false)]
    [InlineData("$share/g", false)]
    [InlineData("$share/g/", false)]
    [InlineData("$share/+/a", false)]
    [InlineData("$share/g/a/#", true)]
    [InlineData("+/tennis/#", true)]
    [InlineData("/", true)]
    public void Only_filters_of_the_standard_are_valid(string filter, bool expected) => Assert.Equal(expected, Topics.IsValidFilter(filter));

    [Fact]
    public void Trees_agree_with_the_plain_comparison_on_random_topics_and_filters()
    {
        var random = new Random(7);
        string[] levels = ["a", "b", "", "$x"];
        string[] wild = [.. levels, "+", "+"];
        for (int i = 0; i < 20_000; i++)
        {
            string topic = string.Join('/', random.GetItems(levels, random.Next(1, 5)));
            string filter = string.Join('/', random.GetItems(wild, random.Next(1, 5))) + (random.Next(3) == 0 ? "/#" : "");
            if (topic.Length == 0 || filter.Length == 0)
            {
                continue;
            }

            bool expected = Topics.Matches(filter, topic);
            Assert.True(expected == InTree(filter, topic), $"{filter} on {topic}: {expected} expected");
            var retained = new RetainedTree(10, 1000);
            retained.Set(new MqttMessage(topic, "x"u8.ToArray()), long.MaxValue);
            var found = new List<Retained>();
            retained.Match(filter, 0, found);
            Assert.True(expected == (found.Count == 1), $"retained: {filter} on {topic}: {expected} expected");
        }
    }

    [Fact]
    public void Retained_messages_are_bounded_in_number_and_bytes()
    {
        var retained = new RetainedTree(messagesMax: 2, bytesMax: 500);
        Assert.True(retained.Set(new MqttMessage("a", new byte[100]), long.MaxValue));
        Assert.True(retained.Set(new MqttMessage("b", new byte[100]), long.MaxValue));
        Assert.False(retained.Set(new MqttMessage("c", new byte[1]), long.MaxValue));
        Assert.False(retained.Set(new MqttMessage("b", new byte[400]), long.MaxValue));
        Assert.True(retained.Set(new MqttMessage("a", Array.Empty<byte>()), long.MaxValue));
        Assert.True(retained.Set(new MqttMessage("b", new byte[400]), long.MaxValue));
        Assert.Equal(1, retained.Count);
        retained.Set(new MqttMessage("b", new byte[10]), expiresAtMs: 50);
        retained.Sweep(nowMs: 50);
        Assert.Equal(0, retained.Count);
    }

    private static bool InTree(string filter, string topic)
    {
        var tree = new SubscriptionTree();
        var session = new BrokerSession("s", new MqttBrokerOptions());
        tree.Add(new Subscription(session, new SubscribeRow(filter, 1), 0));
        bool matches = tree.Match(topic, out _).Routes.Length == 1;
        tree.Remove(session, filter);
        Assert.Empty(tree.Match(topic, out _).Routes);
        Assert.Equal(0, tree.Count);
        return matches;
    }
}
