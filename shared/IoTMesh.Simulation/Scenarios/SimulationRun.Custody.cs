using IoTMesh.Core;

namespace IoTMesh.Simulation;

public sealed partial class SimulationRun
{
    /// <summary>
    /// What custody may take in a calm mesh: a repetition of a reading nobody acknowledged (40 s, protocol.md 6.4), twice over for bad
    /// luck on lossy links, and the way there.
    /// </summary>
    private const long CustodyUs = 90 * Second;

    /// <summary>A reading is in its origin's flash so long after it was made, unless a gateway had it before. protocol.md 9.2.</summary>
    private const long StoredWithinUs = 36 * Second;
    private readonly List<(int Node, long AtUs)> _powerCuts = [];

    /// <summary>
    /// Custody does not cover what its origin's power cut came upon before it was stored (powerCut), nor what an origin that never came
    /// back had handed to nobody (originDied).
    /// </summary>
    private string LossOf(in Reading reading)
    {
        int from = reading.From;
        long madeUs = reading.MadeUs;
        bool isCut = _powerCuts.Exists(cut => cut.Node == from && cut.AtUs >= madeUs && cut.AtUs - madeUs <= StoredWithinUs);
        return isCut ? "powerCut" : _mesh.IsRunning(from) ? "lost" : "originDied";
    }

    /// <summary>
    /// A reading that its node took into custody must be committed, where the node has not restarted since, gave up none for want of
    /// room, has a good way to a serving gateway, and nothing went wrong for a while.
    /// </summary>
    private void CheckCustody()
    {
        long calmUs = _endUs - (_faultTimes.Count == 0 ? 0 : _faultTimes[^1].AtUs);
        if (calmUs < CustodyUs)
        {
            return;
        }

        foreach ((ReadingKey key, int index) in _byKey)
        {
            Reading reading = _readings[index];
            bool isDue = reading.DeliveredUs < 0 && reading.MadeUs <= _endUs - CustodyUs;
            if (isDue && _mesh.CoreOf(reading.From) is MeshNode core && core.Boot == key.Boot && core.Counters.CustodyEvicted == 0
                && _mesh.Medium.HasPath(reading.From, _mesh.IsServing, 0.5))
            {
                Violate($"reading {key.Seq} of boot {key.Boot} of node {key.Origin}, made at {reading.MadeUs / 1e6:0.000} s and kept since, "
                    + "was committed by no gateway");
            }
        }
    }
}
