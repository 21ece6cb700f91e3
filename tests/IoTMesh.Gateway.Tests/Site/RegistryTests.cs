using IoTMesh.Core;
using IoTMesh.Gateway.Site;
using IoTMesh.Gateway.Storage;

namespace IoTMesh.Gateway.Tests.Site;

/// <summary>Who may join when, and whose key is used.</summary>
public sealed class RegistryTests : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("iotmesh-registry-");
    private readonly byte[] _siteSecret = new byte[32];
    private readonly SecretBox _box = SecretBox.CreateForProcess();
    private readonly HandClock _time = new();
    private readonly GatewayStore _store;
    private readonly Registry _registry;
    private readonly Device _device;

    public RegistryTests()
    {
        _store = new GatewayStore(Path.Combine(_folder.FullName, "gateway.db"), _ => null, _time);
        _store.Start();
        _registry = new Registry(_siteSecret, _box, _time);
        _device = Registry.CreateDevice(_siteSecret, 7, null, []);
    }

    private sealed class HandClock : TimeProvider
    {
        internal DateTimeOffset Now { get; set; } = new(2026, 11, 22, 0, 0, 0, TimeSpan.Zero);

        public override DateTimeOffset GetUtcNow()
        {
            return Now;
        }
    }

    [Fact]
    public async Task A_device_joins_first_within_its_window_and_ever_after_until_it_is_revoked()
    {
        Assert.Equal(JoinVerdict.NotEnrolled, _registry.MayJoin(7));
        await EnrollAsync(TimeSpan.FromHours(24));
        Assert.Equal(JoinVerdict.Accepted, _registry.MayJoin(7));
        _time.Now += TimeSpan.FromHours(24);
        Assert.Equal(JoinVerdict.Closed, _registry.MayJoin(7));

        Assert.Equal("open for 10 min: node-7", (await PermitAsync(10)).Describe());
        Assert.Equal(JoinVerdict.Accepted, _registry.MayJoin(7));
        await PermitAsync(0);
        Assert.Equal(JoinVerdict.Closed, _registry.MayJoin(7));

        await PermitAsync(10);
        await _store.NoteJoinedAsync(_device);
        _registry.Load(_store);
        _time.Now += TimeSpan.FromDays(1000);
        Assert.Equal(JoinVerdict.Accepted, _registry.MayJoin(7));
        Assert.Equal("every device has joined already or is revoked", (await PermitAsync(0)).Describe());
        Assert.Equal(JoinVerdict.Accepted, _registry.MayJoin(7));

        await _store.RevokeAsync(_device);
        _registry.Load(_store);
        Assert.Equal(JoinVerdict.Revoked, _registry.MayJoin(7));
        await PermitAsync(10);
        Assert.Equal(JoinVerdict.Revoked, _registry.MayJoin(7));
        Assert.Null(_registry.FindMember(7));
        Assert.NotNull(_registry.Find(7));
    }

    [Fact]
    public async Task A_device_has_its_own_secret_and_one_of_before_its_derived_key()
    {
        byte[] secret = [.. Enumerable.Range(1, 16).Select(i => (byte)i)];
        await EnrollAsync(TimeSpan.FromHours(1), secret);
        Device older = Registry.CreateDevice(_siteSecret, 8, null, []);
        await _store.SaveDeviceAsync(older);
        _registry.Load(_store);
        byte[] key = new byte[16];
        Assert.True(_registry.TryGetDeviceKey(7, key));
        Assert.Equal(secret, key);
        Assert.True(_registry.TryGetDeviceKey(8, key));
        Assert.Equal(SiteKeys.CreateDeviceKey(new PlatformCrypto(), _siteSecret, 8), key);
        Assert.DoesNotContain(
            Convert.ToHexString(secret), Convert.ToHexString(_store.LoadMemberships().First(m => m.SealedSecret is not null).SealedSecret!));
    }

    [Fact]
    public async Task A_key_that_must_not_be_used_any_more_is_told_once()
    {
        var dropped = new List<ushort>();
        _registry.KeyDropped += dropped.Add;
        await EnrollAsync(TimeSpan.FromHours(1));
        _registry.Load(_store);
        Assert.Empty(dropped);
        await _store.RevokeAsync(_device);
        _registry.Load(_store);
        _registry.Load(_store);
        Assert.Equal([7], dropped);
        await _store.RemoveDeviceAsync(_device);
        _registry.Load(_store);
        Assert.Equal([7, 7], dropped);
        Assert.Equal(JoinVerdict.NotEnrolled, _registry.MayJoin(7));
    }

    public void Dispose()
    {
        _store.Dispose();
        _folder.Delete(recursive: true);
    }

    private async Task EnrollAsync(TimeSpan window, byte[]? secret = null)
    {
        byte[] sealedSecret = _box.Seal(secret ?? new byte[16], Registry.SecretName(_device.DeviceId));
        await _store.EnrollAsync(_device, sealedSecret, (_time.Now + window).ToUnixTimeMilliseconds());
        _registry.Load(_store);
    }

    private async Task<JoinWindowResult> PermitAsync(int minutes)
    {
        JoinWindowResult result = await JoinWindow.SetAsync(
            _store, _store.LoadDevices(), _store.LoadMemberships(), null, minutes, "me", _time, default);
        _registry.Load(_store);
        return result;
    }
}
