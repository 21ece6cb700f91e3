namespace IoTMesh.Core;

/// <summary>A seeded generator (xorshift32) for jitter and probe order. Never for keys.</summary>
public sealed class Prng
{
    private uint _state;

    public Prng(uint seed)
    {
        _state = seed == 0 ? 0x9E3779B9u : seed;

        // Neighboring seeds start with similar bits; a few rounds part them.
        for (int i = 0; i < 8; i++)
        {
            Next();
        }
    }

    public uint Next()
    {
        uint x = _state;
        x ^= x << 13;
        x ^= x >> 17;
        x ^= x << 5;
        _state = x;
        return x;
    }

    /// <summary>A number from 0 to <paramref name="bound"/> - 1; 0 for a bound of 0 or 1.</summary>
    public int Next(int bound)
    {
        return bound <= 1 ? 0 : (int)(Next() % (uint)bound);
    }
}
