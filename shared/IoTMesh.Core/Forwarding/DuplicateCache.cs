namespace IoTMesh.Core;

/// <summary>
/// Messages seen lately, by origin, the low half of their counter, and whether they came with waypoints. A ring: the oldest is
/// forgotten first.
/// </summary>
internal sealed class DuplicateCache
{
    // Odd, so that different messages keep different keys and none becomes 0.
    private const uint Turned = 0x9E3779B1;
    private readonly uint[] _keys;
    private int _next;

    internal DuplicateCache(int capacity)
    {
        _keys = new uint[capacity];
    }

    internal bool Contains(ushort origin, uint counter, bool turned)
    {
        return Scan.Contains(_keys, KeyOf(origin, counter, turned));
    }

    internal void Add(ushort origin, uint counter, bool turned)
    {
        _keys[_next] = KeyOf(origin, counter, turned);
        _next = _next + 1 == _keys.Length ? 0 : _next + 1;
    }

    // Origin is never 0, so 0 marks an empty place.
    private static uint KeyOf(ushort origin, uint counter, bool turned)
    {
        uint key = ((uint)origin << 16) | (ushort)counter;
        return turned ? key * Turned : key;
    }
}
