namespace IoTMesh.Core;

/// <summary>
/// Messages seen lately, by origin, the low half of their counter, and on which way they came; and the hop limit they came with.
/// A ring: the oldest is forgotten first.
/// </summary>
internal sealed class DuplicateCache
{
    internal const int None = -1;

    /// <summary>The ways a message may take through one node, each once. protocol.md 6.2.</summary>
    internal const int WayPlain = 0;

    /// <summary>It came with waypoints.</summary>
    internal const int WayTurned = 1;

    /// <summary>The second copy of a real-time message.</summary>
    internal const int WayCopy = 2;

    // Odd, so that different messages keep different keys and none becomes 0.
    private const uint Turned = 0x9E3779B1;
    private const uint Copied = 0x85EBCA77;
    private readonly uint[] _keys;
    private readonly byte[] _hopLimit;
    private int _next;

    internal DuplicateCache(int capacity)
    {
        _keys = new uint[capacity];
        _hopLimit = new byte[capacity];
    }

    internal bool Contains(ushort origin, uint counter, int way)
    {
        return Find(origin, counter, way) != None;
    }

    /// <summary>The place of a message seen lately, or None.</summary>
    internal int Find(ushort origin, uint counter, int way)
    {
        return Scan.IndexOf(_keys, KeyOf(origin, counter, way));
    }

    /// <summary>
    /// True where a message seen with one hop limit comes with that other one because it was passed on from here and came back: a copy on
    /// another way is at most one hop behind. From now on it was seen with the new one.
    /// </summary>
    internal bool CameBack(int at, byte hopLimit)
    {
        bool back = hopLimit + 2 <= _hopLimit[at];
        _hopLimit[at] = back ? hopLimit : _hopLimit[at];
        return back;
    }

    internal void Add(ushort origin, uint counter, int way, byte hopLimit)
    {
        _keys[_next] = KeyOf(origin, counter, way);
        _hopLimit[_next] = hopLimit;
        _next = _next + 1 == _keys.Length ? 0 : _next + 1;
    }

    // Origin is never 0, so 0 marks an empty place.
    private static uint KeyOf(ushort origin, uint counter, int way)
    {
        uint key = ((uint)origin << 16) | (ushort)counter;
        return way == WayTurned ? key * Turned : way == WayCopy ? key * Copied : key;
    }
}
