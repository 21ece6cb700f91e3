namespace IoTMesh.Core;

/// <summary>What a queued effect will become when it is polled.</summary>
internal static class Effect
{
    public const int SendBeacon = 1;
    public const int SendAck = 2;
    public const int SendData = 3;
    public const int SendProbe = 4;
    public const int SendProbeReply = 5;
    public const int SendRequest = 6;
    public const int ForwardRequest = 7;
    public const int SendFlood = 8;
    public const int Deliver = 9;
    public const int Store = 10;
    public const int Completed = 11;
    public const int RouteChanged = 12;
    public const int NeighborChanged = 13;
    public const int StoreCustody = 20;
    public const int SendPoll = 14;
    public const int SendBusy = 15;
    public const int SendJoin = 16;
    public const int StoreKeys = 21;
    public const int KeyTaken = 22;
    public const int Joined = 23;
    public const int SendRefusal = 17;
}

/// <summary>
/// Effects in causal order. An entry names what to build; frames are built only when polled, straight into the caller's
/// buffer, so that an entry costs 12 bytes and the newest state goes on air.
/// </summary>
internal sealed class EffectQueue
{
    private readonly byte[] _kind;
    private readonly int[] _a;
    private readonly int[] _b;
    private int _head;
    private int _count;

    internal EffectQueue(int capacity)
    {
        _kind = new byte[capacity];
        _a = new int[capacity];
        _b = new int[capacity];
    }

    internal int Free => _kind.Length - _count;

    internal bool IsEmpty => _count == 0;

    internal int Kind;
    internal int A;
    internal int B;

    internal bool Push(int kind, int a, int b)
    {
        if (_count == _kind.Length)
        {
            return false;
        }

        int at = (_head + _count) % _kind.Length;
        _kind[at] = (byte)kind;
        _a[at] = a;
        _b[at] = b;
        _count++;
        return true;
    }

    /// <summary>Pushes unless the same effect is waiting already.</summary>
    internal bool PushOnce(int kind, int a, int b)
    {
        for (int i = 0; i < _count; i++)
        {
            int at = (_head + i) % _kind.Length;
            if (_kind[at] == kind && _a[at] == a && _b[at] == b)
            {
                return true;
            }
        }

        return Push(kind, a, b);
    }

    /// <summary>Takes the oldest effect into Kind, A, B.</summary>
    internal bool Pop()
    {
        if (_count == 0)
        {
            return false;
        }

        Kind = _kind[_head];
        A = _a[_head];
        B = _b[_head];
        _head = (_head + 1) % _kind.Length;
        _count--;
        return true;
    }
}
