namespace IoTMesh.Core;

/// <summary>Messages seen lately, by origin and the low half of their counter. A ring: the oldest is forgotten first.</summary>
internal sealed class DuplicateCache
{
    private readonly uint[] _keys;
    private int _next;

    internal DuplicateCache(int capacity)
    {
        _keys = new uint[capacity];
    }

    internal bool Contains(ushort origin, uint counter)
    {
        return Scan.Contains(_keys, KeyOf(origin, counter));
    }

    internal void Add(ushort origin, uint counter)
    {
        _keys[_next] = KeyOf(origin, counter);
        _next = _next + 1 == _keys.Length ? 0 : _next + 1;
    }

    // Origin is never 0, so 0 marks an empty place.
    private static uint KeyOf(ushort origin, uint counter)
    {
        return ((uint)origin << 16) | (ushort)counter;
    }
}
