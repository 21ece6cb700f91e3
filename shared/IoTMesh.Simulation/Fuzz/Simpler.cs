namespace IoTMesh.Simulation;

/// <summary>Proposals for simpler scenarios, the boldest first. Each is smaller by some measure, so that shrinking ends.</summary>
internal static class Simpler
{
    private const int NodesMin = 2;
    private const double PeriodSecondsMax = 30;
    private const int PayloadBytesSmall = 8;
    private const int PayloadBytesOfTwoFragments = 200;

    /// <summary>Without one of the traffic entries, or with a simpler one.</summary>
    internal static IEnumerable<Scenario> Traffic(Scenario whole)
    {
        for (int i = 0; i < whole.Traffic.Count; i++)
        {
            yield return whole with { Traffic = [.. whole.Traffic.Where((_, other) => other != i)] };
        }

        for (int i = 0; i < whole.Traffic.Count; i++)
        {
            TrafficEntry entry = whole.Traffic[i];
            if (entry.Confirmed)
            {
                yield return With(whole, i, entry with { Confirmed = false });
            }

            if (entry.PeriodSeconds * 2 <= PeriodSecondsMax)
            {
                yield return With(whole, i, entry with { PeriodSeconds = entry.PeriodSeconds * 2 });
            }

            if (entry.PayloadBytes > PayloadBytesSmall)
            {
                yield return With(whole, i, entry with { PayloadBytes = PayloadBytesSmall });
            }

            if (entry.PayloadBytes > PayloadBytesOfTwoFragments)
            {
                yield return With(whole, i, entry with { PayloadBytes = PayloadBytesOfTwoFragments });
            }
        }
    }

    /// <summary>With fewer sources of an entry.</summary>
    internal static IEnumerable<Scenario> Sources(Scenario whole)
    {
        for (int i = 0; i < whole.Traffic.Count; i++)
        {
            TrafficEntry entry = whole.Traffic[i];
            bool isPaired = entry.Target == TrafficTarget.Nodes && entry.To.Count > 1;
            IReadOnlyList<int> gateways = whole.Topology.Gateways ?? [1];
            IReadOnlyList<int> sources = entry.From ?? [.. Enumerable.Range(1, whole.Topology.Nodes).Where(node => !gateways.Contains(node))];
            if (isPaired || sources.Count < 2)
            {
                continue;
            }

            int half = sources.Count / 2;
            yield return With(whole, i, entry with { From = [.. sources.Take(half)] });
            yield return With(whole, i, entry with { From = [.. sources.Skip(half)] });
            foreach (int left in sources.Count <= 8 ? sources : [])
            {
                yield return With(whole, i, entry with { From = [.. sources.Where(node => node != left)] });
            }
        }
    }

    /// <summary>With fewer nodes: those with the highest ids go, and what names them.</summary>
    internal static IEnumerable<Scenario> Nodes(Scenario whole)
    {
        int nodes = whole.Topology.Nodes;
        if (whole.Topology.Kind == TopologyKind.Trace)
        {
            yield break;
        }

        foreach (int fewer in new[] { NodesMin, nodes / 4, nodes / 2, nodes * 3 / 4, nodes - 1 }.Distinct())
        {
            if (fewer >= NodesMin && fewer < nodes && WithNodes(whole, fewer) is Scenario smaller)
            {
                yield return smaller;
            }
        }
    }

    /// <summary>Without one of the gateways.</summary>
    internal static IEnumerable<Scenario> Gateways(Scenario whole)
    {
        foreach (int gone in whole.Topology.Gateways?.Count > 1 ? whole.Topology.Gateways : [])
        {
            yield return whole with
            {
                Topology = whole.Topology with { Gateways = [.. whole.Topology.Gateways!.Where(id => id != gone)] },
                Faults = [.. whole.Faults.Where(fault => fault.Kind is not (FaultKind.GatewayDown or FaultKind.GatewayUp) || fault.A != gone)],
            };
        }
    }

    /// <summary>Without one of the sleepy leaves, or without any.</summary>
    internal static IEnumerable<Scenario> Leaves(Scenario whole)
    {
        IReadOnlyList<int> leaves = whole.Topology.Sleepy;
        if (leaves.Count > 1)
        {
            yield return whole with { Topology = whole.Topology with { Sleepy = [] } };
        }

        foreach (int awake in leaves)
        {
            yield return whole with { Topology = whole.Topology with { Sleepy = [.. leaves.Where(id => id != awake)] } };
        }
    }

    /// <summary>With less loss.</summary>
    internal static IEnumerable<Scenario> Loss(Scenario whole)
    {
        if (whole.Topology.Loss > 0)
        {
            yield return whole with { Topology = whole.Topology with { Loss = 0 } };
        }

        if (whole.Topology.Loss > 0.02)
        {
            yield return whole with { Topology = whole.Topology with { Loss = Math.Round(whole.Topology.Loss / 2, 2) } };
        }
    }

    /// <summary>With a better radio and better clocks.</summary>
    internal static IEnumerable<Scenario> Radio(Scenario whole)
    {
        if (whole.Radio != RadioSpec.Simple)
        {
            yield return whole with { Radio = RadioSpec.Simple };
        }

        RadioSpec radio = whole.Radio;
        foreach (RadioSpec better in new[]
        {
            radio with { Corrupt = 0 }, radio with { Replay = 0 }, radio with { Duplicate = 0 }, radio with { DelayMs = 0 },
            radio with { ShadowingDb = 0, AsymmetryDb = 0 },
        })
        {
            // Shadowing tells nothing in the simple model, and its file cannot hold it.
            if (better != radio && (radio.IsPhysical || better.ShadowingDb == radio.ShadowingDb))
            {
                yield return whole with { Radio = better };
            }
        }

        if (whole.ClockDriftPpm > 0)
        {
            yield return whole with { ClockDriftPpm = 0 };
        }
    }

    /// <summary>Shorter, faults that would come after the end left out.</summary>
    internal static IEnumerable<Scenario> Duration(Scenario whole)
    {
        foreach (double share in new[] { 0.25, 0.5, 0.75, 0.9 })
        {
            double seconds = Math.Ceiling(whole.DurationSeconds * share);
            if (seconds < whole.DurationSeconds && seconds > Scenario.TailSeconds)
            {
                yield return whole with
                {
                    DurationSeconds = seconds,
                    Faults = [.. whole.Faults.Where(fault => fault.AtSeconds < seconds)],
                };
            }
        }

        // All faults earlier by the same time, where the first of them comes late.
        double spare = whole.Faults.Count == 0 ? 0 : Math.Floor(whole.Faults[0].AtSeconds - 5);
        if (spare >= 5)
        {
            yield return whole with
            {
                DurationSeconds = whole.DurationSeconds - spare,
                Faults = [.. whole.Faults.Select(fault => fault with { AtSeconds = Math.Round(fault.AtSeconds - spare, 3) })],
            };
        }
    }

    /// <summary>With rounder times and smaller groups.</summary>
    internal static IEnumerable<Scenario> Faults(Scenario whole)
    {
        foreach (int digits in new[] { 0, 1, 2 })
        {
            List<FaultEntry> rounder = [.. whole.Faults.Select(fault => fault with { AtSeconds = Math.Round(fault.AtSeconds, digits) })];
            if (!rounder.Select(fault => fault.AtSeconds).SequenceEqual(whole.Faults.Select(fault => fault.AtSeconds)))
            {
                yield return whole with { Faults = rounder };
            }
        }

        for (int i = 0; i < whole.Faults.Count; i++)
        {
            FaultEntry fault = whole.Faults[i];
            if (fault.Kind == FaultKind.Partition && fault.Groups.Count > 1)
            {
                int at = i;
                FaultEntry simpler = fault with { Groups = [fault.Groups[0]] };
                yield return whole with { Faults = [.. whole.Faults.Select((other, j) => j == at ? simpler : other)] };
            }
        }
    }

    private static Scenario With(Scenario whole, int index, TrafficEntry entry)
    {
        return whole with { Traffic = [.. whole.Traffic.Select((other, i) => i == index ? entry : other)] };
    }

    private static Scenario? WithNodes(Scenario whole, int nodes)
    {
        List<TrafficEntry> traffic = [];
        foreach (TrafficEntry entry in whole.Traffic)
        {
            IReadOnlyList<int>? sources = entry.From is null ? null : [.. entry.From.Where(id => id <= nodes)];
            bool isPaired = entry.Target == TrafficTarget.Nodes && entry.To.Count > 1;
            if (entry.To.All(id => id <= nodes) && sources?.Count != 0 && !(isPaired && sources?.Count != entry.From?.Count))
            {
                traffic.Add(entry with { From = sources });
            }
        }

        IReadOnlyList<int>? gateways = whole.Topology.Gateways is null ? null : [.. whole.Topology.Gateways.Where(id => id <= nodes)];
        if (gateways?.Count == 0 && whole.Topology.Gateways!.Count > 0)
        {
            // The mesh needs one still: the last node takes the part.
            gateways = [nodes];
        }

        IReadOnlyList<int> serving = gateways ?? [1];
        List<FaultEntry> faults = [];
        foreach (FaultEntry fault in whole.Faults)
        {
            bool isOfGateway = fault.Kind is FaultKind.GatewayDown or FaultKind.GatewayUp;
            bool isOfPair = fault.Kind is FaultKind.Cut or FaultKind.Restore;
            bool isOfNode = fault.Kind is not (FaultKind.Partition or FaultKind.Merge);
            if ((!isOfNode || fault.A <= nodes) && (!isOfPair || fault.B <= nodes) && (!isOfGateway || serving.Contains(fault.A)))
            {
                faults.Add(fault with { Groups = [.. fault.Groups.Select(group => (int[])[.. group.Where(id => id <= nodes)])] });
            }
        }

        return whole with
        {
            Topology = whole.Topology with
            {
                Nodes = nodes,
                Gateways = gateways,
                Columns = Math.Min(whole.Topology.Columns, nodes),
                Sleepy = [.. whole.Topology.Sleepy.Where(id => id <= nodes && !serving.Contains(id))],
            },
            Traffic = traffic,
            Faults = faults,
        };
    }
}
