#nullable enable

using IoTMesh.Driver;

namespace IoTMesh.Node;

/// <summary>
/// One node in this process: the firmware's application on a driver of its own thread. Its storage is given from outside, so
/// that a node which is stopped and made again goes on with its counters, as a board does after a power cut.
/// </summary>
public sealed class VirtualNode : IDisposable
{
    private const int StopTimeoutMs = 2_000;
    private bool _isStarted;

    /// <param name="link">Closed when the node stops.</param>
    /// <param name="storage">The same at every start of this node.</param>
    /// <param name="log">Lines of what the node does; null for none.</param>
    /// <param name="reboot">What the command <c>reboot</c> calls; null where the node cannot be restarted.</param>
    public VirtualNode(NodeSettings settings, ILink link, IMeshStorage storage, INodeLog? log = null, Action? reboot = null, IClock? clock = null)
    {
        INodeLog lines = log ?? SilentLog.Instance;
        Application = new NodeApplication(settings, new HostBoard(log, reboot), lines);
        Driver = NodeAssembly.Create(settings, link, clock ?? new SystemClock(), storage, Application);
    }

    public NodeApplication Application { get; }

    public MeshDriver Driver { get; }

    public void Start()
    {
        _isStarted = true;
        Driver.Start();
    }

    /// <summary>Stops at once, as a power cut does: nothing is sent or stored any more. False where its thread did not end in 2 s.</summary>
    public bool Stop()
    {
        bool hasEnded = !_isStarted || Driver.Stop(StopTimeoutMs);
        _isStarted = false;
        return hasEnded;
    }

    public void Dispose()
    {
        Stop();
    }

    private sealed class SilentLog : INodeLog
    {
        internal static readonly SilentLog Instance = new();

        public bool IsVerbose => false;

        public void Write(string line)
        {
        }
    }
}
