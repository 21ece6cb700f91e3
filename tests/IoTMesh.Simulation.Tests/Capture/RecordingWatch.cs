using IoTMesh.Core;

namespace IoTMesh.Simulation.Tests.Capture;

internal sealed record RecordedFrame(
    long EndUs, ushort Transmitter, ushort LinkDestination, byte[] Bytes, Reception[] Receptions, bool IsCutShort);

/// <summary>Keeps everything it is told.</summary>
internal sealed class RecordingWatch : IRunWatch
{
    internal List<RecordedFrame> Frames { get; } = [];

    internal List<(long NowUs, FaultEntry Fault)> Faults { get; } = [];

    internal int Readings { get; private set; }

    internal int Arrivals { get; private set; }

    public void FrameEnded(in AirFrame frame) => Frames.Add(new RecordedFrame(
        frame.EndUs, frame.Transmitter, frame.LinkDestination, frame.Bytes.ToArray(), frame.Receptions.ToArray(), frame.IsCutShort));

    public void Begun(VirtualMesh mesh)
    {
    }

    public void RouteChanged(long nowUs, int node)
    {
    }

    public void Faulted(long nowUs, FaultEntry fault) => Faults.Add((nowUs, fault));

    public void Made(long nowUs, int reading, int from, int to, SendResult taken) => Readings++;

    public void Delivered(long nowUs, int reading, int at) => Arrivals++;

    public void Violated(long nowUs, string what)
    {
    }

    public void Ended(long nowUs)
    {
    }
}
