namespace IoTMesh.Simulation;

/// <summary>
/// Places for nodes that have none: good links pull, all nodes push (Fruchterman and Reingold, 1991). Deterministic.
/// </summary>
internal static class SpringLayout
{
    private const double PairsMax = 60e6;
    private const int RoundsMax = 300;

    /// <returns>A place for each node, within about the square root of their number each way.</returns>
    internal static RadioPosition[] Of(Topology topology)
    {
        int nodes = topology.NodeCount;
        double side = Math.Sqrt(nodes);
        var x = new double[nodes];
        var y = new double[nodes];
        for (int i = 0; i < nodes; i++)
        {
            // On a spiral (golden angle), so that no two start at one place.
            double radius = side / 2 * Math.Sqrt((i + 0.5) / nodes);
            (x[i], y[i]) = (radius * Math.Cos(i * 2.399963), radius * Math.Sin(i * 2.399963));
        }

        int rounds = (int)Math.Clamp(PairsMax / ((double)nodes * nodes), 10, RoundsMax);
        var dx = new double[nodes];
        var dy = new double[nodes];
        for (int round = 0; round < rounds; round++)
        {
            Array.Clear(dx);
            Array.Clear(dy);
            Push(x, y, dx, dy);
            Pull(topology, x, y, dx, dy);
            double stepMax = side / 8 * (1 - ((double)round / rounds));
            for (int i = 0; i < nodes; i++)
            {
                double length = Math.Max(1e-9, Math.Sqrt((dx[i] * dx[i]) + (dy[i] * dy[i])));
                double step = Math.Min(length, stepMax);
                x[i] += dx[i] / length * step;
                y[i] += dy[i] / length * step;
            }
        }

        return [.. Enumerable.Range(0, nodes).Select(i => new RadioPosition(x[i], y[i]))];
    }

    private static void Push(double[] x, double[] y, double[] dx, double[] dy)
    {
        for (int i = 0; i < x.Length; i++)
        {
            for (int j = i + 1; j < x.Length; j++)
            {
                double ax = x[i] - x[j];
                double ay = y[i] - y[j];
                double force = 1 / Math.Max(1e-6, (ax * ax) + (ay * ay));
                dx[i] += ax * force;
                dy[i] += ay * force;
                dx[j] -= ax * force;
                dy[j] -= ay * force;
            }
        }
    }

    private static void Pull(Topology topology, double[] x, double[] y, double[] dx, double[] dy)
    {
        for (int i = 0; i < x.Length; i++)
        {
            foreach (RadioLink link in topology.LinksFrom(i + 1))
            {
                int j = link.To - 1;
                double ax = x[j] - x[i];
                double ay = y[j] - y[i];
                double force = link.DeliveryRatio * link.DeliveryRatio * Math.Sqrt((ax * ax) + (ay * ay));
                dx[i] += ax * force / 2;
                dy[i] += ay * force / 2;
                dx[j] -= ax * force / 2;
                dy[j] -= ay * force / 2;
            }
        }
    }
}
