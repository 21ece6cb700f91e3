using IoTMesh.Core;
using IoTMesh.Gateway.Site;
using IoTMesh.Gateway.Storage;

namespace IoTMesh.Gateway.Tests.Storage;

/// <summary>A database in a folder of its own with two enrolled devices.</summary>
public sealed class StoreFixture : IDisposable
{
    /// <summary>When the devices booted: an hour ago, UTC, ms.</summary>
    public static readonly long BootMs = DateTimeOffset.UtcNow.ToUnixTimeMilliseconds() - 3_600_000;

    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("iotmesh-store-");
    private readonly List<GatewayStore> _open = [];
    private readonly byte[] _secret = new byte[32];

    public StoreFixture()
    {
        Registry = new Registry(_secret);
        Devices = [Registry.CreateDevice(_secret, 7, null, []), Registry.CreateDevice(_secret, 8, null, [])];
        Registry.Replace(Devices);
    }

    public Registry Registry { get; }

    public IReadOnlyList<Device> Devices { get; }

    public string File => Path.Combine(_folder.FullName, "gateway.db");

    public GatewayStore Open(string? file = null, int outboxMax = 1_000_000)
    {
        var store = new GatewayStore(file ?? File, Registry.Find, TimeProvider.System, outboxMax);
        foreach (PeerState peer in store.LoadPeers())
        {
            Assert.NotEqual(0, peer.Address);
        }

        store.Start();
        _open.Add(store);
        return store;
    }

    /// <summary>The files as a process that is killed now leaves them.</summary>
    public string TakeCrashImage()
    {
        DirectoryInfo image = _folder.CreateSubdirectory(Guid.NewGuid().ToString("N"));
        foreach (string file in Directory.GetFiles(_folder.FullName, "gateway.db*"))
        {
            System.IO.File.Copy(file, Path.Combine(image.FullName, Path.GetFileName(file)));
        }

        return Path.Combine(image.FullName, "gateway.db");
    }

    /// <summary>Posts readings and waits until they are committed.</summary>
    public static async Task<IReadOnlyList<CommittedReading>> PostAsync(GatewayStore store, params Delivery[] readings)
    {
        var committed = new List<CommittedReading>();
        var done = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        void OnCommitted(IReadOnlyList<CommittedReading> batch)
        {
            committed.AddRange(batch);
            if (committed.Count >= readings.Length)
            {
                done.TrySetResult();
            }
        }

        store.Committed += OnCommitted;
        Array.ForEach(readings, r => Assert.True(store.TryPost(r)));
        await done.Task.WaitAsync(TimeSpan.FromSeconds(10));
        store.Committed -= OnCommitted;
        return committed;
    }

    /// <summary>A temperature of <paramref name="seq"/> hundredths of a degree, measured every second since the boot.</summary>
    public static Delivery Reading(ushort origin, uint seq, ushort boot = 1)
    {
        var payload = new byte[16];
        var writer = new ReadingWriter();
        writer.Reset(payload, 0, payload.Length);
        writer.Add(BthomeTable.Temperature, seq);
        long uptimeMs = seq * 1000L;
        return new Delivery(origin, 0, 2, -61, true, boot, seq, uptimeMs, uptimeMs, seq, payload[..writer.Length], BootMs + uptimeMs + 3);
    }

    public void Dispose()
    {
        _open.ForEach(s => s.Dispose());
        _folder.Delete(recursive: true);
    }
}
