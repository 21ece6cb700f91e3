namespace IoTMesh.Simulation;

internal enum EventKind
{
    NodeStart,
    NodeTimer,
    Arrival,
    Copy,
    RadioReady,
    RadioAccess,
    RadioEnd,
    RadioAck,
    RadioTimeout,
    RadioHeard,
    Stored,
    Commit,
    Callback,
    Clocks,
    Rotation,
    Attack,
    HostileArrival,
}

/// <summary>Something that happens at a virtual time. What A and B mean depends on the kind.</summary>
internal struct SimulationEvent
{
    internal long TimeUs;
    internal long Order;
    internal EventKind Kind;
    internal int A;
    internal int B;
}

/// <summary>A binary heap of events by time, then by the order they were added. Allocates only to grow.</summary>
internal sealed class EventQueue
{
    private SimulationEvent[] _heap = new SimulationEvent[1024];
    private int _count;
    private long _order;

    internal int Count => _count;

    internal long NextTimeUs => _count == 0 ? long.MaxValue : _heap[0].TimeUs;

    internal void Add(long timeUs, EventKind kind, int a, int b = 0)
    {
        if (_count == _heap.Length)
        {
            Array.Resize(ref _heap, _count * 2);
        }

        SimulationEvent added = new() { TimeUs = timeUs, Order = _order++, Kind = kind, A = a, B = b };
        SimulationEvent[] heap = _heap;
        int at = _count++;
        while (at > 0)
        {
            int parent = (at - 1) >> 1;
            if (heap[parent].TimeUs <= timeUs)
            {
                break;
            }

            heap[at] = heap[parent];
            at = parent;
        }

        heap[at] = added;
    }

    internal SimulationEvent Take()
    {
        SimulationEvent[] heap = _heap;
        SimulationEvent first = heap[0];
        SimulationEvent last = heap[--_count];
        int at = 0;
        while (true)
        {
            int child = (at * 2) + 1;
            if (child >= _count)
            {
                break;
            }

            if (child + 1 < _count && IsBefore(heap[child + 1], heap[child]))
            {
                child++;
            }

            if (!IsBefore(heap[child], last))
            {
                break;
            }

            heap[at] = heap[child];
            at = child;
        }

        heap[at] = last;
        return first;
    }

    private static bool IsBefore(in SimulationEvent a, in SimulationEvent b)
    {
        return a.TimeUs < b.TimeUs || (a.TimeUs == b.TimeUs && a.Order < b.Order);
    }
}
