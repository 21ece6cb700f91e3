using IoTMesh.Core;

namespace IoTMesh.Simulation;

/// <content>Sleepy leaves: a radio that is off hears nothing, and how long it was on.</content>
public sealed partial class VirtualMesh
{
    /// <summary>Share of its running time that a node's radio was on, percent; 0 for one that never ran.</summary>
    public double AwakePercentOf(int node)
    {
        (long awakeUs, long runningUs) = AwakeUsOf(node);
        return runningUs == 0 ? 0 : 100.0 * awakeUs / runningUs;
    }

    /// <summary>How long its radio was on, and how long it ran in all its lives, us.</summary>
    public (long AwakeUs, long RunningUs) AwakeUsOf(int node)
    {
        VirtualNode entry = _nodes[node - 1];
        long awakeUs = entry.AwakeUs + (entry.AwakeSinceUs < 0 ? 0 : NowUs - entry.AwakeSinceUs);
        return (awakeUs, entry.RunningUs + (entry.Core is null ? 0 : NowUs - entry.StartedUs));
    }

    private void SetLeaf(MeshConfig config, int node)
    {
        if (_options.Sleepy.Contains(node))
        {
            config.IsSleepyLeaf = true;
            config.PollIntervalMs = _options.PollIntervalMs;
        }
    }

    private static bool IsListening(VirtualNode node) => node.Core is { MaySleep: false };

    private void BeginRunning(VirtualNode node)
    {
        node.StartedUs = NowUs;
        node.AwakeSinceUs = NowUs;
    }

    private void EndRunning(VirtualNode node)
    {
        if (node.Core is not null)
        {
            node.RunningUs += NowUs - node.StartedUs;
            NoteRadio(node, isOn: false, NowUs);
        }
    }

    /// <summary>The radio stays on until the last frame has left it.</summary>
    private void NoteRadio(VirtualNode node) => NoteRadio(node, IsListening(node), Math.Max(NowUs, node.BusyUntilUs));

    private void NoteRadio(VirtualNode node, bool isOn, long offUs)
    {
        if (isOn && node.AwakeSinceUs < 0)
        {
            node.AwakeSinceUs = NowUs;
        }
        else if (!isOn && node.AwakeSinceUs >= 0)
        {
            node.AwakeUs += offUs - node.AwakeSinceUs;
            node.AwakeSinceUs = -1;
        }
    }
}
