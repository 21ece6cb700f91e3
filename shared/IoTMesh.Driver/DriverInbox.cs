using System;
using IoTMesh.Core;

namespace IoTMesh.Driver;

/// <summary>What another thread asks of the driver.</summary>
internal enum WorkKind : byte
{
    None = 0,
    Send = 1,
    SendReading = 2,
    ReleaseCustody = 3,
    Diagnose = 4,
}

/// <summary>One piece of posted work. The driver owns one object and reuses it.</summary>
internal sealed class WorkItem
{
    private readonly byte[] _own;

    internal WorkItem(int maxPayloadLength)
    {
        _own = new byte[maxPayloadLength];
        Payload = _own;
    }

    internal WorkKind Kind;
    internal ushort Peer;
    internal byte Port;
    internal MeshClass MessageClass;
    internal bool IsConfirmed;
    internal ushort Boot;
    internal uint ReadingSeq;
    internal int Tag;
    internal int Length;

    /// <summary>Its own bytes, or the inbox's buffer for a long payload.</summary>
    internal byte[] Payload;

    internal int Capacity => _own.Length;

    internal void UseOwn()
    {
        Payload = _own;
    }
}

/// <summary>Bounded ring of posted work; any thread puts, the driver takes. Allocates in its constructor only.</summary>
internal sealed class DriverInbox
{
    private readonly object _lock = new object();
    private readonly WorkItem[] _items;

    // One long payload at a time: the node sends one at a time, too. Taken until the work after it is taken.
    private readonly byte[] _long;
    private bool _isLongTaken;
    private bool _isLongOut;
    private int _head;
    private int _count;

    /// <param name="maxLongLength">Bytes of the one buffer for a payload above <paramref name="maxPayloadLength"/>.</param>
    internal DriverInbox(int capacity, int maxPayloadLength, int maxLongLength)
    {
        _long = new byte[maxLongLength > maxPayloadLength ? maxLongLength : 0];
        _items = new WorkItem[capacity];
        for (int i = 0; i < capacity; i++)
        {
            _items[i] = new WorkItem(maxPayloadLength);
        }
    }

    internal int Count
    {
        get
        {
            lock (_lock)
            {
                return _count;
            }
        }
    }

    /// <summary>Puts a message; false when the ring is full, or the buffer for long payloads taken or too short.</summary>
    internal bool PutSend(
        WorkKind kind, ushort destination, byte port, MeshClass messageClass, bool isConfirmed, byte[] payload, int offset, int count, int tag)
    {
        lock (_lock)
        {
            WorkItem item = NextFree();
            if (item == null)
            {
                return false;
            }

            bool isLong = count > item.Capacity;
            if (isLong && (_isLongTaken || count > _long.Length))
            {
                return false;
            }

            item.UseOwn();
            if (isLong)
            {
                _isLongTaken = true;
                item.Payload = _long;
            }

            item.Kind = kind;
            item.Peer = destination;
            item.Port = port;
            item.MessageClass = messageClass;
            item.IsConfirmed = isConfirmed;
            item.Tag = tag;
            item.Length = count;
            Array.Copy(payload, offset, item.Payload, 0, count);
            _count++;
            return true;
        }
    }

    internal bool PutRelease(ushort origin, ushort boot, uint readingSeq)
    {
        lock (_lock)
        {
            WorkItem item = NextFree();
            if (item == null)
            {
                return false;
            }

            item.Kind = WorkKind.ReleaseCustody;
            item.Peer = origin;
            item.Boot = boot;
            item.ReadingSeq = readingSeq;
            item.UseOwn();
            item.Length = 0;
            _count++;
            return true;
        }
    }

    /// <summary>Moves the oldest work into <paramref name="item"/>; false when there is none.</summary>
    internal bool Take(WorkItem item)
    {
        lock (_lock)
        {
            _isLongTaken &= !_isLongOut;
            _isLongOut = false;
            if (_count == 0)
            {
                return false;
            }

            WorkItem oldest = _items[_head];
            item.Kind = oldest.Kind;
            item.Peer = oldest.Peer;
            item.Port = oldest.Port;
            item.MessageClass = oldest.MessageClass;
            item.IsConfirmed = oldest.IsConfirmed;
            item.Boot = oldest.Boot;
            item.ReadingSeq = oldest.ReadingSeq;
            item.Tag = oldest.Tag;
            item.Length = oldest.Length;
            item.UseOwn();
            if (oldest.Payload == _long)
            {
                item.Payload = _long;
                _isLongOut = true;
            }
            else
            {
                Array.Copy(oldest.Payload, 0, item.Payload, 0, oldest.Length);
            }

            _head = _head + 1 == _items.Length ? 0 : _head + 1;
            _count--;
            return true;
        }
    }

    private WorkItem NextFree()
    {
        if (_count == _items.Length)
        {
            return null;
        }

        int index = _head + _count;
        return _items[index >= _items.Length ? index - _items.Length : index];
    }
}
