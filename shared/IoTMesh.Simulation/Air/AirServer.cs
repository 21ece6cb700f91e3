using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using System.Text;

namespace IoTMesh.Simulation;

/// <summary>
/// The UDP radio of docs/protocol.md 11: node processes send it link frames, it passes them to those in range with loss and delay. One thread runs
/// <see cref="Run"/>; everything else may be called from any thread.
/// </summary>
public sealed class AirServer : IDisposable
{
    private const int PendingMax = 4_096;
    private const int ReceiveBufferBytes = 1 << 20;
    private const int IdleWaitMs = 100;

    // What a sender's radio queues at most, as airtime.
    private const long BacklogUsMax = 500_000;
    private readonly AirOptions _options;
    private readonly Lock _gate = new();
    private readonly Socket _socket;
    private readonly Medium _medium;
    private readonly AirNode[] _nodes;
    private readonly List<Reception> _receptions = [];
    private readonly PriorityQueue<int, (long DueUs, long Order)> _pending = new();
    private readonly Pending[] _slots = new Pending[PendingMax];
    private readonly Stack<int> _free = new(Enumerable.Range(0, PendingMax).Reverse());
    private readonly byte[] _buffer = new byte[AirFormat.HeaderLength + AirFormat.BodyLengthMax + 1];
    private readonly SocketAddress _sender;
    private readonly long _startTicks = Stopwatch.GetTimestamp();
    private AirCounters _counters;
    private int _delayMs;
    private long _order;

    /// <summary>Binds the port.</summary>
    /// <exception cref="InputException">The port cannot be had, or an option is out of range.</exception>
    public AirServer(AirOptions options)
    {
        _options = options;
        _delayMs = Math.Clamp(options.DelayMs, 0, 60_000);
        _medium = new Medium(options.Topology, options.Seed);
        _medium.SetLoss(options.LossOverride);
        _nodes = [.. Enumerable.Range(1, options.Topology.NodeCount).Select(_ => new AirNode())];
        _socket = new Socket(options.Address.AddressFamily, SocketType.Dgram, ProtocolType.Udp);
        _sender = new SocketAddress(options.Address.AddressFamily);
        try
        {
            _socket.ReceiveBufferSize = ReceiveBufferBytes;
            _socket.Blocking = false;
            _socket.Bind(new IPEndPoint(options.Address, options.Port));
        }
        catch (Exception error) when (error is SocketException or ArgumentOutOfRangeException)
        {
            _socket.Dispose();
            string why = error is SocketException failed ? failed.SocketErrorCode.ToString() : "not between 0 and 65535";
            throw new InputException($"air: cannot listen on UDP {options.Address}:{options.Port}: {why}; choose another port", error);
        }

        Port = ((IPEndPoint)_socket.LocalEndPoint!).Port;
    }

    /// <summary>The UDP port it listens on.</summary>
    public int Port { get; }

    public Topology Topology => _options.Topology;

    /// <summary>A copy of the counters.</summary>
    public AirCounters Counters
    {
        get
        {
            lock (_gate)
            {
                return _counters;
            }
        }
    }

    /// <summary>Ids of the nodes that are in range of the air now.</summary>
    public IReadOnlyList<int> Registered
    {
        get
        {
            lock (_gate)
            {
                long nowUs = NowUs;
                return [.. Enumerable.Range(1, _nodes.Length).Where(node => IsPresent(node, nowUs))];
            }
        }
    }

    /// <summary>Passes frames until told to stop.</summary>
    public void Run(CancellationToken stop)
    {
        while (!stop.IsCancellationRequested)
        {
            try
            {
                if (_socket.Poll(TimeSpan.FromMilliseconds(WaitMs()), SelectMode.SelectRead))
                {
                    ReceiveAll();
                }
            }
            catch (ObjectDisposedException)
            {
                return;
            }

            lock (_gate)
            {
                DeliverDue();
            }
        }
    }

    /// <summary>Applies a control line.</summary>
    /// <returns><c>ok</c>, <c>ok </c> and text, or <c>error: </c> and what is wrong. Never throws for what the line says.</returns>
    public string Control(string line)
    {
        string trimmed = line.Trim();
        lock (_gate)
        {
            try
            {
                if (trimmed == "status")
                {
                    return "ok " + Status();
                }

                bool known = AirControl.Apply(trimmed, _medium, delayMs => _delayMs = delayMs);
                return known ? "ok" : $"error: '{AirControl.Shown(trimmed)}' is no command; known: {AirControl.Usage}";
            }
            catch (InputException error)
            {
                return "error: " + error.Message;
            }
        }
    }

    public void Dispose() => _socket.Dispose();

    private long NowUs => (long)Stopwatch.GetElapsedTime(_startTicks).TotalMicroseconds;

    private string Status()
    {
        long nowUs = NowUs;
        int present = Enumerable.Range(1, _nodes.Length).Count(node => IsPresent(node, nowUs));
        return $"nodes {present} of {_nodes.Length}, frames {_counters.FramesReceived}, delivered {_counters.FramesDelivered}, "
            + $"lost {_counters.FramesLost}, malformed {_counters.Malformed}, refused {_counters.Refused}, moved {_counters.Moved}";
    }

    private int WaitMs()
    {
        lock (_gate)
        {
            return _pending.TryPeek(out _, out (long DueUs, long Order) next)
                ? (int)Math.Clamp((next.DueUs - NowUs + 999) / 1000, 0, IdleWaitMs)
                : IdleWaitMs;
        }
    }

    private void ReceiveAll()
    {
        // Bounded, so that a flood cannot keep due frames from going out. The first one may be empty, which Available does not show.
        int left = 64;
        do
        {
            try
            {
                int count = _socket.ReceiveFrom(_buffer, SocketFlags.None, _sender);
                lock (_gate)
                {
                    Handle(_buffer.AsSpan(0, count));
                }
            }
            catch (SocketException)
            {
                // A datagram too long for the buffer, or an ICMP report about a node that has gone.
                lock (_gate)
                {
                    _counters.Malformed++;
                }
            }
        }
        while (--left > 0 && _socket.Available > 0);
    }

    private void Handle(ReadOnlySpan<byte> datagram)
    {
        if (!AirFormat.TryRead(datagram, out AirHeader header))
        {
            _counters.Malformed++;
            return;
        }

        switch (header.Type)
        {
            case AirType.Hello:
                Welcome(header.Node, Register(header.Node) ? AirFormat.StatusRegistered : AirFormat.StatusUnknownAddress);
                break;
            case AirType.Bye when header.Node <= _nodes.Length:
                _nodes[header.Node - 1].IsRegistered = false;
                break;
            case AirType.Frame when header.LinkSource != header.Node:
                _counters.Malformed++;
                break;
            case AirType.Frame when Register(header.Node):
                Transmit(header, datagram[AirFormat.HeaderLength..]);
                break;
            case AirType.Control:
                Reply(Control(Encoding.UTF8.GetString(datagram[AirFormat.HeaderLength..])));
                break;
            case AirType.Welcome or AirType.Reply:
                _counters.Malformed++;
                break;
        }
    }

    private bool Register(ushort address)
    {
        if (address > _nodes.Length)
        {
            _counters.Refused++;
            return false;
        }

        AirNode node = _nodes[address - 1];
        if (!node.EndPoint.Equals(_sender))
        {
            _counters.Moved += node.IsRegistered ? 1 : 0;
            node.EndPoint = new SocketAddress(_sender.Family, _sender.Size);
            _sender.Buffer.Span[.._sender.Size].CopyTo(node.EndPoint.Buffer.Span);
        }

        node.IsRegistered = true;
        node.LastHeardUs = NowUs;
        return true;
    }

    private bool IsPresent(int node, long nowUs)
    {
        AirNode entry = _nodes[node - 1];
        return entry.IsRegistered && nowUs - entry.LastHeardUs <= _options.NodeTimeoutMs * 1000L;
    }

    private void Transmit(in AirHeader header, ReadOnlySpan<byte> frame)
    {
        _counters.FramesReceived++;
        AirNode sender = _nodes[header.Node - 1];
        if (sender.BusyUntilUs > NowUs + BacklogUsMax)
        {
            _counters.Overrun++;
            return;
        }

        sender.BusyUntilUs = Math.Max(NowUs, sender.BusyUntilUs) + _options.Airtime.Of(frame.Length);
        long dueUs = sender.BusyUntilUs + (_delayMs * 1000L);
        foreach (MediumLink link in _medium.LinksFrom(header.Node))
        {
            if (!Topology.IsBroadcast(header.LinkDestination) && link.To != header.LinkDestination)
            {
                continue;
            }

            bool passes = _medium.Passes(link);
            _receptions.Add(new Reception((ushort)link.To, link.RssiDbm, passes ? Fate.Delivered : Fate.Lost));
            if (!passes)
            {
                _counters.FramesLost++;
            }
            else if (!_free.TryPop(out int slot))
            {
                _counters.Overrun++;
            }
            else
            {
                Enqueue(slot, header, link, frame, dueUs);
            }
        }

        _options.Watch?.FrameEnded(new AirFrame(
            LiveCapture.UtcUs, header.Node, header.LinkDestination, frame, CollectionsMarshal.AsSpan(_receptions), isCutShort: false));
        _receptions.Clear();
    }

    private void Enqueue(int slot, in AirHeader header, in MediumLink link, ReadOnlySpan<byte> frame, long dueUs)
    {
        ref Pending pending = ref _slots[slot];
        pending.Datagram ??= new byte[AirFormat.HeaderLength + AirFormat.BodyLengthMax];
        pending.Length = AirFormat.HeaderLength + frame.Length;
        pending.To = link.To;
        AirFormat.Write(
            pending.Datagram, new AirHeader(AirType.Frame, (ushort)link.To, header.LinkSource, header.LinkDestination, link.RssiDbm));
        frame.CopyTo(pending.Datagram.AsSpan(AirFormat.HeaderLength));

        // A shorter delay set meanwhile must not let a frame overtake.
        AirNode receiver = _nodes[link.To - 1];
        receiver.LastDueUs = Math.Max(dueUs, receiver.LastDueUs);
        _pending.Enqueue(slot, (receiver.LastDueUs, _order++));
    }

    private void DeliverDue()
    {
        long nowUs = NowUs;
        while (_pending.TryPeek(out int slot, out (long DueUs, long Order) next) && next.DueUs <= nowUs)
        {
            _pending.Dequeue();
            _free.Push(slot);
            ref Pending pending = ref _slots[slot];
            if (!IsPresent(pending.To, nowUs))
            {
                _counters.FramesAbsent++;
            }
            else if (Send(pending.Datagram.AsSpan(0, pending.Length), _nodes[pending.To - 1].EndPoint))
            {
                _counters.FramesDelivered++;
            }
        }
    }

    private void Welcome(ushort node, byte status)
    {
        Span<byte> datagram = stackalloc byte[AirFormat.HeaderLength];
        AirFormat.Write(datagram, new AirHeader(AirType.Welcome, node, Status: status));
        Send(datagram, _sender);
    }

    private void Reply(string text)
    {
        byte[] body = Encoding.UTF8.GetBytes(text);
        int count = Math.Min(body.Length, AirFormat.BodyLengthMax);
        byte[] datagram = new byte[AirFormat.HeaderLength + count];
        AirFormat.Write(datagram, new AirHeader(AirType.Reply, 0));
        body.AsSpan(0, count).CopyTo(datagram.AsSpan(AirFormat.HeaderLength));
        Send(datagram, _sender);
    }

    private bool Send(ReadOnlySpan<byte> datagram, SocketAddress to)
    {
        try
        {
            _socket.SendTo(datagram, SocketFlags.None, to);
            return true;
        }
        catch (SocketException)
        {
            _counters.SendErrors++;
            return false;
        }
    }

    private sealed class AirNode
    {
        internal bool IsRegistered { get; set; }

        internal SocketAddress EndPoint { get; set; } = new(AddressFamily.InterNetwork);

        internal long LastHeardUs { get; set; }

        internal long BusyUntilUs { get; set; }

        internal long LastDueUs { get; set; }
    }

    private struct Pending
    {
        internal byte[] Datagram;
        internal int Length;
        internal int To;
    }
}
