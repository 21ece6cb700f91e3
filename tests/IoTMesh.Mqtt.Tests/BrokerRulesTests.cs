using IoTMesh.Mqtt.Codec;

namespace IoTMesh.Mqtt.Tests;

/// <summary>What the broker answers, packet by packet; each test names the behaviour and the section of MQTT 5.0 that asks for it.</summary>
public sealed class BrokerRulesTests : IAsyncLifetime
{
    private readonly MqttBroker _broker = new(new MqttBrokerOptions
    {
        Port = 0,
        PacketBytesMax = 4_096,
        ReceiveMaximum = 3,
        TopicAliasMaximum = 5,
        QueuedMessagesMax = 5,
        Authorize = access => !access.Topic.StartsWith("secret", StringComparison.Ordinal),
    });

    private int Port => _broker.Port;

    public Task InitializeAsync() => _broker.StartAsync();

    public async Task DisposeAsync() => await _broker.DisposeAsync();

    [Theory] // 4.13
    [InlineData("30 FF FF FF 7F", MqttReason.PacketTooLarge)]
    [InlineData("36 05 0001 61 0001", MqttReason.MalformedPacket)]
    [InlineData("30 04 0001 23 00", MqttReason.TopicNameInvalid)]
    [InlineData("30 07 0001 61 03 23 0006", MqttReason.TopicAliasInvalid)]
    [InlineData("30 06 0000 03 23 0002", MqttReason.ProtocolError)]
    [InlineData("30 06 0001 61 02 0B 05", MqttReason.ProtocolError)]
    [InlineData("10 0D 0004 4D515454 05 02 0000 00 0000", MqttReason.ProtocolError)]
    [InlineData("20 03 00 00 00", MqttReason.ProtocolError)]
    [InlineData("82 03 000A 00", MqttReason.ProtocolError)]
    [InlineData("F0 00", MqttReason.ProtocolError)]
    [InlineData("E0 07 00 05 11 0000000A", MqttReason.ProtocolError)] // 3.14.2.2.2
    public async Task A_broken_packet_ends_its_connection_with_the_reason_and_no_other(string hex, MqttReason reason)
    {
        using RawClient good = await ConnectAsync("good");
        using RawClient bad = await ConnectAsync("bad");
        using RawClient old = await ConnectAsync("old", MqttProtocol.V311);
        await bad.SendHexAsync(hex);
        await bad.ExpectDisconnectAsync(reason);
        await good.ExpectNothingAsync();
        await old.SendHexAsync("30 01 00"); // 3.1.1 just closes
        Assert.Null(await old.NextAsync());
        Assert.Equal(2, _broker.Counters.Malformed);
    }

    [Theory] // 3.1.0, 3.1.2.1, 3.1.2.2
    [InlineData("C0 00", "")]
    [InlineData("10 0C 0004 4D515454 03 02 0000 0000", "20020001")]
    [InlineData("10 0E 0006 4D5149736470 03 02 0000 0000", "20020001")]
    [InlineData("10 0D 0004 4D515454 09 02 0000 00 0000", "2003008400")]
    [InlineData("10 0C 0004 4D515454 04 00 0000 0000", "20020002")]
    [InlineData("10 10 0004 4D515454 05 02 0000 03 21 0000 0000", "2003008200")]
    [InlineData("16 00", "")]
    [InlineData("474554202F20485454502F312E310D0A0D0A", "")] // GET / HTTP/1.1
    public async Task What_is_no_valid_CONNECT_is_refused_or_closed(string hex, string answer)
    {
        MqttProtocol answeredIn = answer.StartsWith("2003", StringComparison.Ordinal) ? MqttProtocol.V5 : MqttProtocol.V311;
        using RawClient client = await RawClient.OpenAsync(Port, answeredIn);
        await client.SendHexAsync(hex);
        AnyPacket? packet = await client.NextAsync();
        Assert.Equal(answer, packet is null ? "" : Convert.ToHexString(packet.Encode(answeredIn)));
        if (packet?.Content is ConnAckPacket refusal)
        {
            Assert.NotEqual(MqttReason.Success, refusal.Reason);
            Assert.Null(await client.NextAsync());
        }
    }

    [Fact] // 3.1.4
    public async Task A_second_connection_with_the_client_id_ends_the_first()
    {
        using RawClient first = await ConnectAsync("same");
        using RawClient second = await ConnectAsync("same");
        await first.ExpectDisconnectAsync(MqttReason.SessionTakenOver);
        await second.ExpectNothingAsync();
        Assert.Equal(1, _broker.Counters.Clients);
    }

    [Fact] // 3.1.2.10, 3.1.2.5
    public async Task A_silent_client_is_ended_after_one_and_a_half_keep_alives_and_its_Will_published()
    {
        using RawClient watcher = await ConnectAsync("watcher");
        await watcher.SubscribeAsync("will/#", 1);
        using RawClient silent = await RawClient.ConnectAsync(Port, new ConnectPacket
        {
            ClientId = "silent",
            KeepAliveSeconds = 1,
            Will = new MqttMessage("will/silent", "gone"u8.ToArray(), 1),
        });
        Assert.Equal("will/silent=gone q1", await watcher.NextTextAsync());
        await silent.ExpectDisconnectAsync(MqttReason.KeepAliveTimeout);
    }

    [Fact] // 3.1.3.2.2, 3.14.2.1
    public async Task A_delayed_Will_is_forgotten_when_the_client_comes_back_in_time()
    {
        using RawClient watcher = await ConnectAsync("watcher");
        await watcher.SubscribeAsync("will/#", 0);
        var connect = new ConnectPacket
        {
            ClientId = "w",
            CleanStart = false,
            Properties = new MqttProperties().Add(PropertyId.SessionExpiry, 60),
            Will = new MqttMessage("will/w", "gone"u8.ToArray()) { WillDelaySeconds = 1 },
        };
        (await RawClient.ConnectAsync(Port, connect)).Dispose();
        using RawClient again = await RawClient.ConnectAsync(Port, connect);
        Assert.True(again.SessionPresent);
        await Task.Delay(1_400);
        await watcher.ExpectNothingAsync();
        await again.SendHexAsync("E0 01 04"); // with Will
        Assert.Equal("will/w=gone q0", await watcher.NextTextAsync());
    }

    [Fact] // 4.4, 3.1.2.11.2
    public async Task A_kept_session_gets_what_it_missed_and_repeats_of_what_it_did_not_acknowledge()
    {
        var connect = new ConnectPacket
        {
            ClientId = "kept",
            CleanStart = false,
            Properties = new MqttProperties().Add(PropertyId.SessionExpiry, 60),
        };
        using RawClient publisher = await ConnectAsync("publisher");
        using (RawClient first = await RawClient.ConnectAsync(Port, connect))
        {
            Assert.False(first.SessionPresent);
            await first.SubscribeAsync("m/#", 2);
            await publisher.PublishAsync("m/1", "a", 1, 1);
            await publisher.PublishAsync("m/2", "b", 2, 2);
            Assert.Equal("m/1=a q1", await first.NextTextAsync());
            Assert.Equal("m/2=b q2", await first.NextTextAsync());
            await first.AckAsync(PacketType.PubRec, 2);
            Assert.Equal(2, (await first.NextAsync<AckPacket>()).PacketId);
        }

        await Until(() => _broker.Counters.Clients == 1);
        for (ushort i = 3; i <= 9; i++)
        {
            await publisher.PublishAsync($"m/{i}", "missed", 1, i);
        }

        await publisher.PublishAsync("m/0", "not kept");
        await publisher.FlushAsync();
        using RawClient again = await RawClient.ConnectAsync(Port, connect);
        Assert.True(again.SessionPresent);
        Assert.Equal("m/1=a q1 d", await again.NextTextAsync());
        AnyPacket? release = await again.NextAsync();
        Assert.Equal((PacketType.PubRel, (ushort)2), (release!.Type, ((AckPacket)release.Content!).PacketId));
        for (int i = 3; i <= 7; i++)
        {
            Assert.Equal($"m/{i}=missed q1", await again.NextTextAsync()); // the queue holds five
        }

        await again.ExpectNothingAsync();
        Assert.Equal(2, _broker.Counters.DroppedQueueFull);
    }

    [Fact] // 3.3.4, 4.9
    public async Task No_more_messages_are_unacknowledged_than_the_client_allows()
    {
        using RawClient subscriber = await RawClient.ConnectAsync(Port, new ConnectPacket
        {
            ClientId = "s",
            Properties = new MqttProperties().Add(PropertyId.ReceiveMaximum, 2),
        });
        using RawClient publisher = await ConnectAsync("p");
        await subscriber.SubscribeAsync("n", 1);
        for (ushort i = 1; i <= 4; i++)
        {
            await publisher.PublishAsync("n", $"{i}", 1, i);
            await publisher.NextAsync<AckPacket>();
        }

        Assert.Equal("n=1 q1", await subscriber.NextTextAsync());
        Assert.Equal("n=2 q1", await subscriber.NextTextAsync());
        await subscriber.ExpectNothingAsync();
        await subscriber.AckAsync(PacketType.PubAck, 2); // out of order is allowed
        Assert.Equal("n=3 q1", await subscriber.NextTextAsync());
        await subscriber.ExpectNothingAsync();
        await subscriber.AckAsync(PacketType.PubAck, 1);
        Assert.Equal("n=4 q1", await subscriber.NextTextAsync());
    }

    [Fact] // 3.3.4
    public async Task A_client_that_sends_more_QoS_2_than_allowed_is_ended()
    {
        using RawClient client = await ConnectAsync("c");
        for (ushort i = 1; i <= 4; i++)
        {
            await client.PublishAsync("n", "x", 2, i);
        }

        for (int i = 1; i <= 3; i++)
        {
            await client.NextAsync<AckPacket>();
        }

        await client.ExpectDisconnectAsync(MqttReason.ReceiveMaximumExceeded);
    }

    [Fact] // 4.3.3
    public async Task A_repeated_QoS_2_message_is_delivered_once()
    {
        using RawClient subscriber = await ConnectAsync("s");
        await subscriber.SubscribeAsync("n", 0);
        using RawClient publisher = await ConnectAsync("p");
        await publisher.PublishAsync("n", "1", 2, 9);
        await publisher.PublishAsync("n", "1", 2, 9);
        await publisher.AckAsync(PacketType.PubRel, 9);
        await publisher.AckAsync(PacketType.PubRel, 9);
        Assert.Equal(PacketType.PubRec, (await publisher.NextAsync())!.Type);
        Assert.Equal(PacketType.PubRec, (await publisher.NextAsync())!.Type);
        Assert.Equal(MqttReason.Success, (await publisher.NextAsync<AckPacket>()).Reason);
        Assert.Equal(MqttReason.PacketIdNotFound, (await publisher.NextAsync<AckPacket>()).Reason);
        Assert.Equal("n=1 q0", await subscriber.NextTextAsync());
        await subscriber.ExpectNothingAsync();
    }

    [Fact] // 3.3.2.3.4
    public async Task An_alias_stands_for_its_topic_on_its_connection_only()
    {
        using RawClient subscriber = await ConnectAsync("s");
        await subscriber.SubscribeAsync("long/topic", 0);
        using RawClient publisher = await ConnectAsync("p");
        await publisher.PublishAsync("long/topic", "1", properties: new MqttProperties().Add(PropertyId.TopicAlias, 5));
        await publisher.SendHexAsync("30 07 0000 03 23 0005 32");
        Assert.Equal("long/topic=1 q0", await subscriber.NextTextAsync());
        Assert.Equal("long/topic=2 q0", await subscriber.NextTextAsync());
        using RawClient other = await ConnectAsync("o");
        await other.SendHexAsync("30 07 0000 03 23 0005 33");
        await other.ExpectDisconnectAsync(MqttReason.ProtocolError);
    }

    [Fact] // 3.8.3.1
    public async Task Subscription_options_of_version_5_are_kept()
    {
        using RawClient client = await ConnectAsync("c");
        using RawClient publisher = await ConnectAsync("p");
        await publisher.PublishAsync("r/1", "kept", 1, 1, retain: true);
        await publisher.NextAsync<AckPacket>();
        await client.SubscribeAsync("r/#", 0x20); // retained never
        Assert.Empty(client.Early);
        await client.ExpectNothingAsync();
        await client.SubscribeAsync("r/#", 0x10); // retained if new: it is not
        await client.ExpectNothingAsync();
        await client.SubscribeAsync("r/#", 0x08); // retained always; retain as published
        Assert.Equal("r/1=kept q0 r", RawClient.Text((WholePublish)client.Early.Single().Content!));
        await publisher.PublishAsync("r/2", "live", retain: true);
        Assert.Equal("r/2=live q0 r", await client.NextTextAsync());
        await client.SubscribeAsync("own", SubscribeRow.FlagNoLocal);
        await client.PublishAsync("own", "mine");
        await publisher.PublishAsync("own", "yours");
        Assert.Equal("own=yours q0", await client.NextTextAsync());
    }

    [Fact] // 3.3.4
    public async Task Overlapping_subscriptions_give_one_message_with_the_highest_quality_and_all_identifiers()
    {
        using RawClient client = await ConnectAsync("c");
        await client.SubscribeAsync("a/+", 0, id: 7);
        await client.SubscribeAsync("a/#", 1, id: 300);
        await client.PublishAsync("a/b", "x", 2, 1);
        Assert.Equal(PacketType.PubRec, (await NextOtherAsync(client, out Task<WholePublish> publish)).Type);
        WholePublish got = await publish;
        Assert.Equal("a/b=x q1", RawClient.Text(got));
        Assert.Equal([7u, 300u], got.Message.SubscriptionIds.Order());
        await client.AckAsync(PacketType.PubAck, got.Head.PacketId);
        await client.ExpectNothingAsync();
    }

    [Fact] // 3.3.2.3.3
    public async Task An_expired_message_is_not_delivered_and_a_living_one_tells_what_is_left()
    {
        using RawClient publisher = await ConnectAsync("p");
        await publisher.PublishAsync("e/1", "dies", retain: true, properties: new MqttProperties().Add(PropertyId.MessageExpiry, 1));
        await publisher.PublishAsync("e/2", "lives", retain: true, properties: new MqttProperties().Add(PropertyId.MessageExpiry, 100));
        await Task.Delay(1_200);
        using RawClient late = await ConnectAsync("l");
        await late.SubscribeAsync("e/#", 0);
        var publish = (WholePublish)late.Early.Single().Content!;
        Assert.Equal("e/2", publish.Message.Topic);
        Assert.InRange(publish.Head.ExpirySeconds!.Value, 90u, 99u);
    }

    [Fact] // 4.8.2
    public async Task Members_of_a_shared_subscription_take_turns()
    {
        using RawClient one = await ConnectAsync("one");
        using RawClient two = await ConnectAsync("two");
        using RawClient publisher = await ConnectAsync("p");
        await one.SubscribeAsync("$share/g/s/#", 0);
        await two.SubscribeAsync("$share/g/s/#", 0);
        for (int i = 0; i < 10; i++)
        {
            await publisher.PublishAsync($"s/{i}", "x");
        }

        for (int i = 0; i < 5; i++)
        {
            await one.NextAsync<WholePublish>();
            await two.NextAsync<WholePublish>();
        }

        await one.ExpectNothingAsync();
        await two.ExpectNothingAsync();
    }

    [Fact] // 3.4.2.1, 3.9.3
    public async Task What_is_not_allowed_is_refused_with_a_reason()
    {
        using RawClient client = await ConnectAsync("c");
        Assert.Equal([MqttReason.NotAuthorized], await client.SubscribeAsync("secret/#", 1));
        Assert.Equal([MqttReason.TopicFilterInvalid], await client.SubscribeAsync("a/#/b", 1));
        await client.PublishAsync("secret/x", "x", 1, 1);
        Assert.Equal(MqttReason.NotAuthorized, (await client.NextAsync<AckPacket>()).Reason);
        await client.PublishAsync("nobody/listens", "x", 1, 2);
        Assert.Equal(MqttReason.NoMatchingSubscribers, (await client.NextAsync<AckPacket>()).Reason);
    }

    [Fact] // 3.1.2.11.4
    public async Task A_message_too_large_for_the_client_is_not_sent_to_it()
    {
        using RawClient small = await RawClient.ConnectAsync(Port, new ConnectPacket
        {
            ClientId = "small",
            Properties = new MqttProperties().Add(PropertyId.MaximumPacketSize, 50),
        });
        await small.SubscribeAsync("n", 1);
        using RawClient publisher = await ConnectAsync("p");
        await publisher.PublishAsync("n", new string('x', 60), 1, 1);
        await publisher.PublishAsync("n", "fits", 1, 2);
        Assert.Equal("n=fits q1", await small.NextTextAsync());
        Assert.Equal(1, _broker.Counters.DroppedOther);
    }

    [Fact]
    public async Task Stopping_tells_the_clients()
    {
        using RawClient client = await ConnectAsync("c");
        await _broker.StopAsync();
        await client.ExpectDisconnectAsync(MqttReason.ServerShuttingDown);
    }

    [Fact] // 3.2.2.3
    public async Task CONNACK_names_the_limits_and_the_assigned_client_id()
    {
        using RawClient client = await ConnectAsync("");
        MqttProperties properties = client.Answer!.Properties!;
        Assert.NotEmpty((string)properties.Value(PropertyId.AssignedClientId)!);
        Assert.Equal((3u, 4_096u, 5u), (properties.Number(PropertyId.ReceiveMaximum), properties.Number(PropertyId.MaximumPacketSize),
            properties.Number(PropertyId.TopicAliasMaximum)));
    }

    internal static async Task Until(Func<bool> condition)
    {
        for (int i = 0; i < 500 && !condition(); i++)
        {
            await Task.Delay(20);
        }

        Assert.True(condition());
    }

    // PUBREC and the message itself come in any order.
    private static Task<AnyPacket> NextOtherAsync(RawClient client, out Task<WholePublish> publish)
    {
        var found = new TaskCompletionSource<WholePublish>();
        publish = found.Task;
        return Read();

        async Task<AnyPacket> Read()
        {
            AnyPacket?[] two = [await client.NextAsync(), await client.NextAsync()];
            found.SetResult((WholePublish)two.Single(p => p!.Type == PacketType.Publish)!.Content!);
            return two.Single(p => p!.Type != PacketType.Publish)!;
        }
    }

    private Task<RawClient> ConnectAsync(string clientId, MqttProtocol protocol = MqttProtocol.V5) =>
        RawClient.ConnectAsync(Port, new ConnectPacket { ClientId = clientId, Protocol = protocol });
}
