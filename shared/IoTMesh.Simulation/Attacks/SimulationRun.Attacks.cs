using IoTMesh.Core;

namespace IoTMesh.Simulation;

/// <content>Runs with attackers.</content>
public sealed partial class SimulationRun
{
    private bool IsAttacked => _scenario.Attackers.Count > 0 && !_scenario.IsPeaceful;

    private bool IsAttacker(int node) => _scenario.Attackers.Any(entry => entry.Places.Contains(node));

    /// <summary>In the place of an outsider is no node of the site.</summary>
    private void StartAt(long timeUs, int node)
    {
        if (!_scenario.Attackers.Any(entry => !entry.Insider && entry.Places.Contains(node)))
        {
            _mesh.StartAt(timeUs, node);
        }
    }

    private void BeginAttacks()
    {
        OutlawAttackers(_mesh.Medium);
        foreach (AttackerEntry entry in IsAttacked ? _scenario.Attackers : [])
        {
            _mesh.AddAttacker(entry);
        }
    }

    private void OutlawAttackers(Medium medium)
    {
        foreach (int place in _scenario.Attackers.SelectMany(entry => entry.Places))
        {
            medium.Outlaw(place);
        }
    }

    private AttackResult MeasureAttack(HashSet<int> inCustody)
    {
        long fromUs = Us(_scenario.Attackers.Min(entry => entry.FromSeconds));
        TrafficTally custody = new();
        TrafficTally messages = new();
        foreach ((int index, Reading reading) in _readings.Index())
        {
            if (reading.MadeUs >= fromUs)
            {
                double latencyMs = reading.DeliveredUs < 0 ? double.NaN : (reading.DeliveredUs - reading.MadeUs) / 1000.0;
                (inCustody.Contains(index) ? custody : messages).Add(latencyMs);
            }
        }

        return new AttackResult
        {
            Custody = custody,
            Messages = messages,
            HostileFrames = _mesh.HostileFrames,
            SwallowedFrames = _mesh.SwallowedFrames,
            Loops = _loops,
            TimeErrorMs = Spread.Of(_mesh.TimeErrorsMs),
        };
    }
}
