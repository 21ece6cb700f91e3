using IoTMesh.Gateway.Storage;

namespace IoTMesh.Gateway.Tests.Storage;

public sealed class GatewayStoreTests : IDisposable
{
    private readonly StoreFixture _fixture = new();

    [Fact]
    public async Task A_copy_is_dropped_and_released_again()
    {
        GatewayStore store = _fixture.Open();
        var committed = await StoreFixture.PostAsync(store, StoreFixture.Reading(7, 1), StoreFixture.Reading(7, 2), StoreFixture.Reading(7, 1));
        Assert.Equal([true, true, false], committed.Select(c => c.IsNew));
        Assert.Equal(2, store.ReadOutboxState().Depth);
        Assert.Equal(1, store.Duplicates);
    }

    [Fact]
    public async Task The_outbox_survives_a_kill_and_a_copy_after_it_is_still_dropped()
    {
        GatewayStore store = _fixture.Open();
        await StoreFixture.PostAsync(store, StoreFixture.Reading(7, 1), StoreFixture.Reading(7, 2), StoreFixture.Reading(8, 1));
        IReadOnlyList<OutboxRow> before = store.ReadOutbox(0, 100);
        await store.AcknowledgeAsync([before[0].Number]);
        GatewayStore after = _fixture.Open(_fixture.TakeCrashImage());
        Assert.Equal(
            before.Skip(1).Select(r => (r.Number, r.Reading.Seq, r.Reading.TimeMs)),
            after.ReadOutbox(0, 100).Select(r => (r.Number, r.Reading.Seq, r.Reading.TimeMs)));
        Assert.Equal(2, after.OutboxDepth);
        var again = await StoreFixture.PostAsync(after, StoreFixture.Reading(7, 1), StoreFixture.Reading(7, 3));
        Assert.Equal([false, true], again.Select(c => c.IsNew));
    }

    [Fact]
    public async Task Peers_come_back_with_watermark_and_what_is_beyond_it()
    {
        GatewayStore store = _fixture.Open();
        await Task.WhenAll(_fixture.Devices.Select(d => store.SaveDeviceAsync(d)));
        await StoreFixture.PostAsync(
            store, StoreFixture.Reading(7, 1), StoreFixture.Reading(7, 2), StoreFixture.Reading(7, 5), StoreFixture.Reading(8, 2, boot: 3));
        var peers = _fixture.Open(_fixture.TakeCrashImage()).LoadPeers().OrderBy(p => p.Address).ToList();
        Assert.Equal((7, 1, 5u, 2u), (peers[0].Address, peers[0].Boot, peers[0].Counter, peers[0].Watermark));
        Assert.Equal([5u], peers[0].Beyond);
        Assert.Equal((8, 3, 0u), (peers[1].Address, peers[1].Boot, peers[1].Watermark));
    }

    [Fact]
    public async Task A_full_outbox_leaves_readings_with_their_nodes()
    {
        GatewayStore store = _fixture.Open(outboxMax: 2);
        await StoreFixture.PostAsync(store, StoreFixture.Reading(7, 1), StoreFixture.Reading(7, 2));
        Assert.True(store.TryPost(StoreFixture.Reading(7, 3)));
        await store.AcknowledgeAsync([store.ReadOutbox(0, 1)[0].Number]);
        Assert.Equal(1, store.Refused);
        var later = await StoreFixture.PostAsync(store, StoreFixture.Reading(7, 3));
        Assert.True(later[0].IsNew);
    }

    [Fact]
    public async Task An_address_that_is_not_enrolled_is_refused()
    {
        GatewayStore store = _fixture.Open();
        Assert.True(store.TryPost(StoreFixture.Reading(99, 1)));
        await store.AcknowledgeAsync([]);
        Assert.Equal((1, 0), (store.Refused, store.OutboxDepth));
    }

    [Fact]
    public async Task A_removed_device_leaves_nothing()
    {
        GatewayStore store = _fixture.Open();
        await store.SaveDeviceAsync(_fixture.Devices[0]);
        await StoreFixture.PostAsync(store, StoreFixture.Reading(7, 1));
        await store.RemoveDeviceAsync(_fixture.Devices[0]);
        Assert.Empty(store.LoadDevices());
        Assert.Empty(store.ReadOutbox(0, 10));
        Assert.Empty(store.ReadReadings(_fixture.Devices[0], 0, long.MaxValue, 10));
    }

    [Fact]
    public void A_file_that_is_no_database_is_one_clear_line()
    {
        File.WriteAllText(_fixture.File, new string('x', 5000));
        var e = Assert.Throws<StorageException>(() => _fixture.Open());
        Assert.Contains(_fixture.File, e.Message);
        Assert.DoesNotContain('\n', e.Message);
    }

    [Fact]
    public async Task A_backup_of_a_running_store_opens()
    {
        GatewayStore store = _fixture.Open();
        await StoreFixture.PostAsync(store, StoreFixture.Reading(7, 1));
        string copy = _fixture.File + ".backup";
        store.Backup(copy);
        Assert.Single(_fixture.Open(copy).ReadOutbox(0, 10));
    }

    public void Dispose()
    {
        _fixture.Dispose();
    }
}
