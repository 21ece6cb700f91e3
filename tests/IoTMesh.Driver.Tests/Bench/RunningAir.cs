using IoTMesh.Simulation;

namespace IoTMesh.Driver.Tests.Bench;

/// <summary>The UDP air on a thread of its own, on a free port unless told otherwise.</summary>
public sealed class RunningAir : IDisposable
{
    private readonly AirServer _server;
    private readonly CancellationTokenSource _stop = new();
    private readonly Thread _thread;

    /// <summary>Up to four nodes, all in range of each other.</summary>
    public RunningAir(int nodes, int port = 0)
        : this(Topology.Create(TopologyKind.Grid8, nodes, columns: 2), port)
    {
    }

    public RunningAir(Topology topology, int port = 0)
    {
        _server = new AirServer(new AirOptions { Topology = topology, Port = port });
        _thread = new Thread(() => _server.Run(_stop.Token));
        _thread.Start();
    }

    public int Port => _server.Port;

    public int RegisteredCount => _server.Registered.Count;

    public string Control(string line) => _server.Control(line);

    public void Dispose()
    {
        _stop.Cancel();
        _thread.Join();
        _server.Dispose();
        _stop.Dispose();
    }
}
