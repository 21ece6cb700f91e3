using IoTMesh.Core;

namespace IoTMesh.Simulation;

/// <summary>A run as a capture: every frame at its virtual time, faults and failed checks as comments of the frame that follows them.</summary>
public sealed class RunCapture : IRunWatch, IDisposable
{
    private readonly PcapngWriter _writer;

    /// <param name="stream">Is owned.</param>
    public RunCapture(Stream stream, Scenario scenario, ulong seed)
    {
        _writer = new PcapngWriter(stream, $"{scenario.Name} seed {seed}", "IoTMesh simulation, virtual time since the start of the run");
    }

    /// <summary>Frames written so far.</summary>
    public long Frames => _writer.Frames;

    public void FrameEnded(in AirFrame frame) => _writer.FrameEnded(frame);

    public void Begun(VirtualMesh mesh)
    {
    }

    public void RouteChanged(long nowUs, int node)
    {
    }

    public void Faulted(long nowUs, FaultEntry fault) => _writer.Comment($"fault: {FaultText.Of(fault)}");

    public void Made(long nowUs, int reading, int from, int to, SendResult taken)
    {
    }

    public void Delivered(long nowUs, int reading, int at)
    {
    }

    public void Violated(long nowUs, string what) => _writer.Comment($"FAILED: {what}");

    public void Ended(long nowUs)
    {
    }

    public void Dispose() => _writer.Dispose();
}
