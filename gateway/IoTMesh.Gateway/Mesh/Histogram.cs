namespace IoTMesh.Gateway.Mesh;

/// <summary>Counts of observations by upper bound, as Prometheus wants them. Any thread.</summary>
/// <param name="bounds">Upper bounds, rising.</param>
public sealed class Histogram(double[] bounds)
{
    private readonly Lock _gate = new();
    private readonly long[] _counts = new long[bounds.Length];
    private long _count;
    private double _sum;

    public IReadOnlyList<double> Bounds => bounds;

    public void Observe(double value)
    {
        lock (_gate)
        {
            _count++;
            _sum += value;
            for (int i = 0; i < bounds.Length; i++)
            {
                if (value <= bounds[i])
                {
                    _counts[i]++;
                }
            }
        }
    }

    /// <summary>Cumulative counts by bound, the count of all and their sum.</summary>
    public (long[] Counts, long Count, double Sum) Read()
    {
        lock (_gate)
        {
            return ((long[])_counts.Clone(), _count, _sum);
        }
    }
}
