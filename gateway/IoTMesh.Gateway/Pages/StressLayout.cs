namespace IoTMesh.Gateway.Pages;

/// <summary>
/// Draws a graph so that the distance on paper is near the distance in hops: classical scaling for a start, then stress
/// majorization (Gansner, Koren, North 2004). Pure functions; the same input always gives the same drawing.
/// </summary>
public static class StressLayout
{
    /// <summary>Pairwise distances in hops of a connected graph.</summary>
    /// <param name="edges">Pairs of indices below <paramref name="count"/>, each once.</param>
    public static double[][] Distances(int count, IReadOnlyCollection<(int A, int B)> edges)
    {
        var neighbors = new List<int>[count];
        for (int i = 0; i < count; i++)
        {
            neighbors[i] = [];
        }

        foreach ((int a, int b) in edges)
        {
            neighbors[a].Add(b);
            neighbors[b].Add(a);
        }

        return [.. Enumerable.Range(0, count).Select(i => HopsFrom(i, neighbors))];
    }

    /// <summary>Classical multidimensional scaling: the two main axes of the distances.</summary>
    public static Point[] Seed(double[][] distances)
    {
        int count = distances.Length;
        double[][] gram = DoubleCentered(distances);
        double[] x = MainAxis(gram, 0.0);
        double[] y = MainAxis(gram, 1.0);
        var points = new Point[count];
        for (int i = 0; i < count; i++)
        {
            // A turn of the golden angle a node: points that the axes put on one spot still get apart.
            double angle = i * 2.399963;
            points[i] = new Point(x[i] + (0.01 * Math.Cos(angle)), y[i] + (0.01 * Math.Sin(angle)));
        }

        return points;
    }

    /// <summary>Moves the points towards their distances; each round lowers the stress or leaves it.</summary>
    public static void Relax(double[][] distances, Point[] points, int rounds)
    {
        for (int round = 0; round < rounds; round++)
        {
            for (int i = 0; i < points.Length; i++)
            {
                points[i] = Settled(distances[i], points, i);
            }
        }
    }

    /// <summary>How far the drawing is from the distances, relative, 0 the best.</summary>
    public static double Stress(double[][] distances, Point[] points)
    {
        double sum = 0;
        for (int i = 0; i < points.Length; i++)
        {
            for (int j = 0; j < i; j++)
            {
                double off = ((points[i] - points[j]).Length / distances[i][j]) - 1;
                sum += off * off;
            }
        }

        return sum;
    }

    /// <summary>Pushes points apart that lie closer than <paramref name="gap"/> hop lengths.</summary>
    public static void Spread(Point[] points, double gap)
    {
        for (int round = 0; round < 30; round++)
        {
            bool moved = false;
            for (int i = 0; i < points.Length; i++)
            {
                for (int j = 0; j < i; j++)
                {
                    moved |= PushApart(points, i, j, gap);
                }
            }

            if (!moved)
            {
                return;
            }
        }
    }

    /// <summary>Turns, mirrors and shifts <paramref name="points"/> as near to <paramref name="anchors"/> as they get (null: no anchor).</summary>
    public static void Align(Point[] points, Point?[] anchors)
    {
        int[] held = [.. Enumerable.Range(0, points.Length).Where(i => anchors[i] is not null)];
        if (held.Length == 0)
        {
            return;
        }

        Point from = Mean(held.Select(i => points[i]));
        Point to = Mean(held.Select(i => anchors[i]!.Value));
        (double plainCos, double plainSin, double plainFit) = BestTurn(points, anchors, held, from, to, mirror: 1);
        (double mirrorCos, double mirrorSin, double mirrorFit) = BestTurn(points, anchors, held, from, to, mirror: -1);
        bool mirrored = mirrorFit > plainFit;
        double cos = mirrored ? mirrorCos : plainCos;
        double sin = mirrored ? mirrorSin : plainSin;
        for (int i = 0; i < points.Length; i++)
        {
            Point p = points[i] - from;
            double y = mirrored ? -p.Y : p.Y;
            points[i] = new Point((p.X * cos) - (y * sin), (p.X * sin) + (y * cos)) + to;
        }
    }

    /// <summary>Turns a new drawing so that most links run level or upright, the long side is level and the gateway is at the upper left.</summary>
    public static void Orient(Point[] points, IReadOnlyCollection<(int A, int B)> edges, int gateway)
    {
        double cos4 = 0;
        double sin4 = 0;
        foreach ((int a, int b) in edges)
        {
            Point d = points[a] - points[b];
            double angle = Math.Atan2(d.Y, d.X);
            cos4 += Math.Cos(4 * angle);
            sin4 += Math.Sin(4 * angle);
        }

        Turn(points, -Math.Atan2(sin4, cos4) / 4);
        if (points.Max(p => p.Y) - points.Min(p => p.Y) > points.Max(p => p.X) - points.Min(p => p.X))
        {
            Turn(points, Math.PI / 2);
        }

        Point middle = new((points.Max(p => p.X) + points.Min(p => p.X)) / 2, (points.Max(p => p.Y) + points.Min(p => p.Y)) / 2);
        double flipX = gateway >= 0 && points[gateway].X > middle.X + 0.01 ? -1 : 1;
        double flipY = gateway >= 0 && points[gateway].Y > middle.Y + 0.01 ? -1 : 1;
        for (int i = 0; i < points.Length; i++)
        {
            points[i] = new Point(points[i].X * flipX, points[i].Y * flipY);
        }
    }

    private static double[] HopsFrom(int start, List<int>[] neighbors)
    {
        var hops = new double[neighbors.Length];
        Array.Fill(hops, double.PositiveInfinity);
        hops[start] = 0;
        var queue = new Queue<int>([start]);
        while (queue.TryDequeue(out int at))
        {
            foreach (int next in neighbors[at])
            {
                if (double.IsPositiveInfinity(hops[next]))
                {
                    hops[next] = hops[at] + 1;
                    queue.Enqueue(next);
                }
            }
        }

        return hops;
    }

    private static double[][] DoubleCentered(double[][] distances)
    {
        int count = distances.Length;
        double[][] squares = [.. distances.Select(row => row.Select(d => d * d).ToArray())];
        double[] rowMeans = [.. squares.Select(row => row.Average())];
        double mean = rowMeans.Average();
        var gram = new double[count][];
        for (int i = 0; i < count; i++)
        {
            gram[i] = new double[count];
            for (int j = 0; j < count; j++)
            {
                gram[i][j] = -0.5 * (squares[i][j] - rowMeans[i] - rowMeans[j] + mean);
            }
        }

        return gram;
    }

    /// <summary>Largest eigenvector times the root of its eigenvalue, by power iteration; takes it out of the matrix.</summary>
    private static double[] MainAxis(double[][] gram, double phase)
    {
        int count = gram.Length;
        double[] v = [.. Enumerable.Range(0, count).Select(i => Math.Cos((1.7 * i) + phase) + 0.01)];
        double value = 0;
        for (int round = 0; round < 80; round++)
        {
            double[] next = [.. gram.Select(row => Dot(row, v))];
            value = Math.Sqrt(Dot(next, next));
            if (value < 1e-9)
            {
                return new double[count];
            }

            v = [.. next.Select(x => x / value)];
        }

        for (int i = 0; i < count; i++)
        {
            for (int j = 0; j < count; j++)
            {
                gram[i][j] -= value * v[i] * v[j];
            }
        }

        return [.. v.Select(x => x * Math.Sqrt(value))];
    }

    private static double Dot(double[] a, double[] b)
    {
        double sum = 0;
        for (int i = 0; i < a.Length; i++)
        {
            sum += a[i] * b[i];
        }

        return sum;
    }

    private static Point Settled(double[] distances, Point[] points, int self)
    {
        double weights = 0;
        Point sum = default;
        for (int j = 0; j < points.Length; j++)
        {
            if (j == self)
            {
                continue;
            }

            double weight = 1 / (distances[j] * distances[j]);
            Point away = points[self] - points[j];
            double length = Math.Max(away.Length, 1e-6);
            sum += (points[j] + (away * (distances[j] / length))) * weight;
            weights += weight;
        }

        return weights == 0 ? points[self] : sum * (1 / weights);
    }

    private static bool PushApart(Point[] points, int i, int j, double gap)
    {
        Point away = points[i] - points[j];
        double length = away.Length;
        if (length >= gap)
        {
            return false;
        }

        Point direction = length > 1e-6 ? away * (1 / length) : new Point(Math.Cos(i), Math.Sin(i));
        Point shift = direction * ((gap - length) / 2 * 1.01);
        points[i] += shift;
        points[j] -= shift;
        return true;
    }

    private static (double Cos, double Sin, double Fit) BestTurn(
        Point[] points, Point?[] anchors, int[] held, Point from, Point to, int mirror)
    {
        double dot = 0;
        double cross = 0;
        foreach (int i in held)
        {
            Point p = points[i] - from;
            Point q = anchors[i]!.Value - to;
            double y = p.Y * mirror;
            dot += (p.X * q.X) + (y * q.Y);
            cross += (p.X * q.Y) - (y * q.X);
        }

        double fit = Math.Sqrt((dot * dot) + (cross * cross));
        return fit < 1e-9 ? (1, 0, 0) : (dot / fit, cross / fit, fit);
    }

    private static void Turn(Point[] points, double angle)
    {
        (double sin, double cos) = Math.SinCos(angle);
        for (int i = 0; i < points.Length; i++)
        {
            Point p = points[i];
            points[i] = new Point((p.X * cos) - (p.Y * sin), (p.X * sin) + (p.Y * cos));
        }
    }

    private static Point Mean(IEnumerable<Point> points)
    {
        Point sum = default;
        int count = 0;
        foreach (Point p in points)
        {
            sum += p;
            count++;
        }

        return sum * (1.0 / count);
    }
}
