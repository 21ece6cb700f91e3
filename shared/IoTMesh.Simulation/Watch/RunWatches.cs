using IoTMesh.Core;

namespace IoTMesh.Simulation;

/// <summary>Several watches of one run.</summary>
public sealed class RunWatches(params IReadOnlyList<IRunWatch> watches) : IRunWatch
{
    public void FrameEnded(in AirFrame frame)
    {
        foreach (IRunWatch watch in watches)
        {
            watch.FrameEnded(frame);
        }
    }

    public void Begun(VirtualMesh mesh) => ForEach(watch => watch.Begun(mesh));

    public void RouteChanged(long nowUs, int node) => ForEach(watch => watch.RouteChanged(nowUs, node));

    public void Faulted(long nowUs, FaultEntry fault) => ForEach(watch => watch.Faulted(nowUs, fault));

    public void Made(long nowUs, int reading, int from, int to, SendResult taken) =>
        ForEach(watch => watch.Made(nowUs, reading, from, to, taken));

    public void Delivered(long nowUs, int reading, int at) => ForEach(watch => watch.Delivered(nowUs, reading, at));

    public void Violated(long nowUs, string what) => ForEach(watch => watch.Violated(nowUs, what));

    public void Ended(long nowUs) => ForEach(watch => watch.Ended(nowUs));

    private void ForEach(Action<IRunWatch> tell)
    {
        foreach (IRunWatch watch in watches)
        {
            tell(watch);
        }
    }
}
