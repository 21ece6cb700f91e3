using IoTMesh.Core;

namespace IoTMesh.Simulation;

public sealed partial class VirtualMesh
{
    private void Handle(in SimulationEvent happened)
    {
        switch (happened.Kind)
        {
            case >= EventKind.RadioReady and <= EventKind.RadioHeard:
                HandleRadio(happened);
                break;
            case EventKind.NodeStart when _nodes[happened.A - 1].Incarnation == happened.B:
                Start(happened.A);
                break;
            case EventKind.NodeTimer:
                HandleTimer(_nodes[happened.A - 1]);
                break;
            case EventKind.Arrival:
                HandleArrival(happened.A);
                break;
            case EventKind.Copy:
                HandleCopy(happened.A);
                break;
            case EventKind.Stored:
                HandleStored(happened.A);
                break;
            case EventKind.Commit:
                HandleCommit(happened.A);
                break;
            case EventKind.Callback:
                _observer.Called(happened.A);
                break;
            case EventKind.Rotation:
                StepRotation(happened.A);
                break;
            case EventKind.Attack or EventKind.HostileArrival:
                HandleAttack(happened);
                break;
            case EventKind.Clocks:
                LookAtClocks();
                break;
        }
    }

    private void HandleTimer(VirtualNode node)
    {
        if (node.Core is null || node.TimerUs != NowUs)
        {
            return;
        }

        node.TimerUs = long.MaxValue;
        node.Core.HandleTimeout(LocalMs(node));
        Touch(node);
    }

    private void HandleArrival(int slot)
    {
        Flight flight = _flights[slot];
        VirtualNode sender = _nodes[flight.From - 1];
        if (sender.Core is null || sender.Incarnation != flight.Incarnation)
        {
            Tell(flight, isCutShort: true);
            _flights.Free(slot);
            return;
        }

        sender.Core.HandleTransmitResult(LocalMs(sender), flight.Token, true);
        Touch(sender);

        // Delivering can change the medium only through an observer, so the links are taken by index.
        bool isBroadcast = Topology.IsBroadcast(flight.Destination);
        ReadOnlySpan<MediumLink> links = Medium.LinksFrom(flight.From);
        for (int i = 0; i < links.Length; i++)
        {
            MediumLink link = links[i];
            if (!isBroadcast && link.To != flight.Destination)
            {
                continue;
            }

            Fate fate = Medium.Passes(link) ? HandOver(flight, _nodes[link.To - 1], link.RssiDbm) : Fate.Lost;
            _receptions.Add(new Reception((ushort)link.To, link.RssiDbm, fate));
        }

        Overhear(flight);
        Tell(flight, isCutShort: false);
        _flights.Free(slot);
    }

    /// <summary>Tells the watch of a frame with what is in <see cref="_receptions"/>, and empties that.</summary>
    private void Tell(Flight flight, bool isCutShort)
    {
        _options.Watch?.FrameEnded(new AirFrame(
            NowUs,
            (ushort)flight.From,
            flight.Destination,
            flight.Frame.AsSpan(0, flight.Length),
            System.Runtime.InteropServices.CollectionsMarshal.AsSpan(_receptions),
            isCutShort));
        _receptions.Clear();
    }

    private void HandleStored(int slot)
    {
        Flight store = _flights[slot];
        VirtualNode node = _nodes[store.From - 1];
        bool isWhole = node.Core is not null && node.Incarnation == store.Incarnation;
        if (store.Record >= StoreRecord.Custody)
        {
            node.Flash.Write(store.Record, store.IsAppend, store.Frame.AsSpan(0, store.Length), isWhole);
        }

        if (isWhole)
        {
            node.CountersRecord = store.Record == StoreRecord.Counters ? store.Frame[..store.Length] : node.CountersRecord;
            node.KeysRecord = store.Record == StoreRecord.Keys ? store.Frame[..store.Length] : node.KeysRecord;
            node.Core!.HandleStored(LocalMs(node), store.Token, true);
            Touch(node);
        }

        _flights.Free(slot);
    }

    private void HandleCommit(int slot)
    {
        Flight reading = _flights[slot];
        VirtualNode node = _nodes[reading.From - 1];
        if (node.Core is not null && node.Incarnation == reading.Incarnation)
        {
            bool isNew = node.Memory!.Commit(reading.Key, reading.Counter, reading.UptimeMs, NowMs);
            node.Core.ReleaseCustody(LocalMs(node), reading.Key.Origin, reading.Key.Boot, reading.Key.Seq);
            _observer.Committed(node.Id, reading.Key, isNew);
            Touch(node);
        }

        _flights.Free(slot);
    }

    private void DrainAll()
    {
        if (_draining)
        {
            return;
        }

        _draining = true;
        while (_dirty.TryDequeue(out VirtualNode? node))
        {
            Drain(node);
        }

        _draining = false;
    }

    private void Drain(VirtualNode node)
    {
        while (node.Core is not null && node.Core.Poll(_output))
        {
            Hash(node.Id, _output);
            switch (_output.Kind)
            {
                case OutputKind.Transmit when IsForAir(node, _output):
                    Transmit(node, _output);
                    break;
                case OutputKind.Store:
                    int slot = _flights.Take(node.Id, node.Incarnation, _output);
                    _events.Add(NowUs + _options.StoreDelayUs, EventKind.Stored, slot);
                    break;
                case OutputKind.Deliver:
                    Deliver(node, _output);
                    break;
                case OutputKind.Diagnosis:
                    _observer.Answered(node.Id, _output);
                    break;
                case OutputKind.SendCompleted:
                    _observer.Completed(node.Id, _output);
                    break;
                case OutputKind.KeyTaken:
                    _rotation?.HandleTaken(_output.Destination, _output.Epoch);
                    break;
                case OutputKind.RouteChanged:
                    _observer.RouteChanged(node.Id, _output.Destination);
                    break;
            }
        }

        if (node.Core is not null)
        {
            CheckBounds(node);
            if (_disturbance is not null)
            {
                NoteForgotten(node);
            }

            ScheduleTimer(node);
            NoteRadio(node);
        }
    }

    private void Transmit(VirtualNode node, MeshOutput output)
    {
        FramesOnAir++;
        BytesOnAir += output.Length;
        if (FrameFormat.GetType(output.Buffer[0]) == FrameFormat.TypeBeacon)
        {
            _observer.Beaconed(node.Id);
        }

        int slot = _flights.Take(node.Id, node.Incarnation, output);
        if (_channel is not null)
        {
            Enqueue(node, slot, output.Token);
            return;
        }

        node.BusyUntilUs = Math.Max(NowUs, node.BusyUntilUs) + _options.Airtime.Of(output.Length);
        _events.Add(node.BusyUntilUs + _options.LatencyUs, EventKind.Arrival, slot);
    }

    private void Deliver(VirtualNode node, MeshOutput output)
    {
        if (output.IsReading && node.IsServing)
        {
            int slot = _flights.Take(node.Id, node.Incarnation, output);
            _events.Add(NowUs + _options.CommitDelayUs, EventKind.Commit, slot);
        }
        else if (node.IsServing)
        {
            node.Memory!.Accept(output.Origin, output.Counter);
        }

        _observer.Delivered(node.Id, output);
    }

    private void ScheduleTimer(VirtualNode node)
    {
        long deadlineMs = node.Core!.NextDeadlineMs;
        if (deadlineMs == long.MaxValue)
        {
            return;
        }

        long dueUs = TrueUs(node, deadlineMs);
        if (dueUs > NowUs)
        {
            node.Spins = 0;
        }
        else if (++node.Spins > SpinMax)
        {
            node.Spins = 0;
            dueUs = NowUs + 1000;
            _observer.Violated($"at {NowMs} ms node {node.Id} asks again and again for a deadline that has passed");
        }

        // An earlier pending timer stays: its early call does nothing and schedules anew.
        dueUs = Math.Max(dueUs, NowUs);
        if (dueUs < node.TimerUs)
        {
            node.TimerUs = dueUs;
            _events.Add(dueUs, EventKind.NodeTimer, node.Id);
        }
    }

    private void CheckBounds(VirtualNode node)
    {
        MeshNode core = node.Core!;
        MeshConfig config = core.Config;
        if (core.NeighborCount > config.MaxNeighbors || core.RouteCount > config.MaxRoutes || core.CustodyBytes > config.MaxCustodyBytes)
        {
            _observer.Violated($"at {NowMs} ms a table of node {node.Id} is over its bound: {core.NeighborCount} neighbors, "
                + $"{core.RouteCount} routes, {core.CustodyBytes} bytes of readings");
        }
    }

    private void Hash(int node, MeshOutput output)
    {
        _hash.Add((ulong)NowUs);
        _hash.Add(((ulong)(uint)node << 32) | ((ulong)output.Kind << 24) | ((ulong)output.Port << 16) | ((ulong)output.Hops << 8) | output.Record);
        _hash.Add(((ulong)output.LinkDestination << 48) | ((ulong)output.Origin << 32) | ((ulong)output.Destination << 16) | output.NextHop);
        _hash.Add(((ulong)(uint)output.Token << 32) | ((ulong)output.Metric << 8) | (output.Success ? 1UL : 0));
        bool hasBytes = output.Kind is OutputKind.Transmit or OutputKind.Deliver or OutputKind.Store;
        if (hasBytes)
        {
            _hash.Add(output.Buffer.AsSpan(0, output.Length));
        }

        if (_options.Trace is TextWriter trace)
        {
            string bytes = hasBytes ? Convert.ToHexStringLower(output.Buffer.AsSpan(0, output.Length)) : string.Empty;
            trace.WriteLine($"{NowUs} {node} {output.Kind} to={output.LinkDestination:x4} origin={output.Origin:x4} dest={output.Destination:x4} "
                + $"via={output.NextHop:x4} metric={output.Metric} ok={output.Success} {bytes}");
        }
    }

    /// <summary>Something under way: a frame, a record to store, or a reading to commit.</summary>
    private sealed class Flight
    {
        internal int From;
        internal int Incarnation;
        internal int Token;
        internal int Length;
        internal byte[] Frame = [];
        internal ushort Destination;

        // Of a copy, whose Destination is its receiver.
        internal sbyte RssiDbm;
        internal bool IsChanged;
        internal Copies? Copies;

        // Of a frame that the physical radio model has received somewhere.
        internal readonly List<Reception> Heard = [];
        internal byte Record;
        internal bool IsAppend;
        internal uint Counter;
        internal ReadingKey Key;
        internal long UptimeMs;
    }

    /// <summary>A pool of flights.</summary>
    private sealed class Flights
    {
        private readonly List<Flight> _all = [];
        private readonly Stack<int> _free = new();

        internal Flight this[int slot] => _all[slot];

        internal int Take(int from, int incarnation, MeshOutput output)
        {
            int slot = TakeFree();
            Flight flight = _all[slot];
            flight.From = from;
            flight.Incarnation = incarnation;
            flight.Token = output.Token;
            flight.Destination = output.LinkDestination;
            flight.Record = output.Record;
            flight.IsAppend = output.IsAppend;
            flight.UptimeMs = output.IsKept ? -1 : output.OriginUptimeMs;
            flight.Counter = output.Counter;
            flight.Key = new ReadingKey(output.Origin, output.Boot, output.ReadingSeq);
            Fill(flight, output.Buffer.AsSpan(0, output.Length));
            return slot;
        }

        /// <summary>A copy of a frame on its way to one receiver.</summary>
        internal int TakeCopy(Flight original, int receiver, sbyte rssiDbm, Copies copies)
        {
            int slot = TakeFree();
            Flight flight = _all[slot];
            flight.From = original.From;
            flight.Destination = Topology.AddressOf(receiver);
            flight.RssiDbm = rssiDbm;
            flight.IsChanged = false;
            flight.Copies = copies;
            Fill(flight, original.Frame.AsSpan(0, original.Length));
            return slot;
        }

        /// <summary>A frame that has left the air, with what became of it.</summary>
        internal int TakeHeard(Flight original, List<Reception> outcomes)
        {
            int slot = TakeFree();
            Flight flight = _all[slot];
            flight.From = original.From;
            flight.Incarnation = original.Incarnation;
            flight.Destination = original.Destination;
            flight.Heard.Clear();
            flight.Heard.AddRange(outcomes);
            Fill(flight, original.Frame.AsSpan(0, original.Length));
            return slot;
        }

        internal void Free(int slot) => _free.Push(slot);

        private int TakeFree()
        {
            if (!_free.TryPop(out int slot))
            {
                slot = _all.Count;
                _all.Add(new Flight());
            }

            return slot;
        }

        private static void Fill(Flight flight, ReadOnlySpan<byte> bytes)
        {
            flight.Length = bytes.Length;
            if (flight.Frame.Length < bytes.Length)
            {
                flight.Frame = new byte[Math.Max(64, bytes.Length * 2)];
            }

            bytes.CopyTo(flight.Frame);
        }
    }
}
