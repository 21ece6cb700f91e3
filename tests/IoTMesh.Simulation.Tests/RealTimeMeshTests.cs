using System.Collections.Concurrent;
using System.Diagnostics;
using IoTMesh.Core;
using IoTMesh.Driver;
using IoTMesh.Simulation;

namespace IoTMesh.Simulation.Tests;

/// <summary>Real drivers on their threads, sharing the real-time air.</summary>
public class RealTimeMeshTests
{
    private const int Nodes = 12;

    [Fact]
    public void Twelve_drivers_form_a_mesh_deliver_and_route_around_a_dead_node()
    {
        Topology topology = Topology.Create(TopologyKind.Grid4, Nodes, 0.05);
        using RealTimeAir air = new(topology);
        SimulatedSite site = new(Nodes, 1);
        ConcurrentQueue<(ushort Origin, byte Value)> delivered = new();
        MeshDriver[] drivers = [.. Enumerable.Range(1, Nodes).Select(node => CreateDriver(air, site, node, delivered))];
        Array.ForEach(drivers, driver => driver.Start());
        try
        {
            WaitForAll(drivers, delivered, 1, []);
            air.Kill(2);
            WaitForAll(drivers, delivered, 2, [2]);
            Assert.All(drivers, driver => Assert.Equal(0, driver.ApplicationFaults + driver.DriverFaults));
        }
        finally
        {
            Array.ForEach(drivers, driver => driver.Stop(5_000));
        }
    }

    private static MeshDriver CreateDriver(RealTimeAir air, SimulatedSite site, int node, ConcurrentQueue<(ushort Origin, byte Value)> delivered)
    {
        bool isGateway = node == 1;
        MemoryStorage storage = new();
        MeshConfig config = new() { Address = (ushort)node, IsGateway = isGateway };
        MeshNode core = new(config, site.KeysOf(node, isGateway), new PlatformCrypto(), (uint)node, storage.Load(StoreRecord.Counters));
        return new MeshDriver(core, air.Connect((ushort)node), new SystemClock(), storage, new Receiver(delivered), 16);
    }

    /// <summary>Has every living node send readings of that value, one every other second, until the gateway has one from each.</summary>
    private static void WaitForAll(MeshDriver[] drivers, ConcurrentQueue<(ushort Origin, byte Value)> delivered, byte value, int[] dead)
    {
        int[] senders = [.. Enumerable.Range(2, Nodes - 1).Except(dead)];
        long started = Stopwatch.GetTimestamp();
        long nextMs = 0;
        while (senders.Any(node => !delivered.Contains(((ushort)node, value))))
        {
            double elapsedMs = Stopwatch.GetElapsedTime(started).TotalMilliseconds;
            Assert.True(elapsedMs < 30_000, $"readings {value} came from {delivered.Where(item => item.Value == value).Distinct().Count()} nodes");
            if (elapsedMs >= nextMs)
            {
                nextMs += 2_000;
                Array.ForEach(senders, node => drivers[node - 1].TrySendReading([value], 0, 1, 0));
            }

            Thread.Sleep(10);
        }
    }

    private sealed class Receiver(ConcurrentQueue<(ushort Origin, byte Value)> delivered) : IMeshApplication
    {
        private MeshDriver? _driver;

        public long NextDeadlineMs => long.MaxValue;

        public void HandleStarted(long nowMs, MeshDriver driver) => _driver = driver;

        public void HandleOutput(long nowMs, MeshOutput output)
        {
            if (output is { Kind: OutputKind.Deliver, IsReading: true })
            {
                delivered.Enqueue((output.Origin, output.Buffer[0]));
                _driver!.TryReleaseCustody(output.Origin, output.Boot, output.ReadingSeq);
            }
        }

        public void HandlePosted(long nowMs, int tag, SendResult result, int token)
        {
        }

        public void HandleTimeout(long nowMs)
        {
        }
    }
}
