using IoTMesh.Core;

namespace IoTMesh.Benchmarks;

/// <summary>A gateway (1), a relay (2) and an origin (3) in a line exchange readings once, and what each was told is kept.</summary>
internal sealed class Exchange
{
    /// <summary>Readings that are measured; as many go before.</summary>
    internal const int Readings = 1_000;

    internal const int Gateway = 1;
    internal const int Relay = 2;
    internal const int Origin = 3;
    private const int Nodes = 3;
    private const int PeriodMs = 40;
    private readonly Player[] _players = new Player[Nodes];
    private readonly List<TapeEntry>[] _tapes = [[], [], []];
    private readonly int[] _measuredFrom = new int[Nodes];
    private readonly long[] _framesSent = new long[Nodes];
    private readonly Queue<(int To, byte[] Frame)> _air = new();

    private Exchange()
    {
        for (int i = 0; i < Nodes; i++)
        {
            int from = i + 1;
            _players[i] = new Player(from) { Sent = output => Transmit(from, output) };
        }

        long nowMs = BenchSite.StartMs;
        nowMs = Run(nowMs, 10_000, 0);
        nowMs = Run(nowMs, Readings * PeriodMs, PeriodMs);
        for (int i = 0; i < Nodes; i++)
        {
            _measuredFrom[i] = _tapes[i].Count;
            _framesSent[i] = -_players[i].Node.Counters.FramesSent;
        }

        int delivered = _players[0].Delivered;
        Run(nowMs, Readings * PeriodMs, PeriodMs);
        for (int i = 0; i < Nodes; i++)
        {
            _framesSent[i] += _players[i].Node.Counters.FramesSent;
        }

        if (_players[0].Delivered - delivered < Readings - 5)
        {
            throw new InvalidOperationException($"only {_players[0].Delivered - delivered} of {Readings} readings arrived: nothing to measure");
        }
    }

    internal static Exchange Instance { get; } = new();

    /// <summary>What a node was told while the readings passed that are measured.</summary>
    internal TapeEntry[] Measured(int node) => [.. _tapes[node - 1].Skip(_measuredFrom[node - 1])];

    /// <summary>A fresh node brought to where the measured part begins.</summary>
    internal Player Prepared(int node)
    {
        Player player = new(node);
        foreach (TapeEntry entry in _tapes[node - 1].Take(_measuredFrom[node - 1]))
        {
            player.Play(entry);
        }

        return player;
    }

    /// <summary>Throws where a replayed node did not do what the recorded one did.</summary>
    internal void Check(int node, Player replayed, long framesBefore)
    {
        if (replayed.Node.Counters.FramesSent - framesBefore != _framesSent[node - 1])
        {
            throw new InvalidOperationException($"node {node} sent {replayed.Node.Counters.FramesSent - framesBefore} frames, "
                + $"{_framesSent[node - 1]} when it was recorded: the replay measures something else");
        }
    }

    private long Run(long nowMs, int milliseconds, int periodMs)
    {
        for (int i = 0; i < milliseconds; i++, nowMs++)
        {
            for (int waiting = _air.Count; waiting > 0; waiting--)
            {
                (int to, byte[] frame) = _air.Dequeue();
                Tell(to, new TapeEntry(Touch.Frame, nowMs, frame));
            }

            if (periodMs != 0 && i % periodMs == 0)
            {
                Tell(Origin, new TapeEntry(Touch.Reading, nowMs, []));
            }

            for (int node = 1; node <= Nodes; node++)
            {
                if (_players[node - 1].Node.NextDeadlineMs <= nowMs)
                {
                    Tell(node, new TapeEntry(Touch.Timeout, nowMs, []));
                }
            }
        }

        return nowMs;
    }

    private void Tell(int node, TapeEntry entry)
    {
        _tapes[node - 1].Add(entry);
        _players[node - 1].Play(entry);
    }

    private void Transmit(int from, MeshOutput output)
    {
        for (int to = from - 1; to <= from + 1; to += 2)
        {
            if (to >= 1 && to <= Nodes && (output.LinkDestination == MeshAddress.All || output.LinkDestination == to))
            {
                _air.Enqueue((to, output.Buffer.AsSpan(0, output.Length).ToArray()));
            }
        }
    }
}
