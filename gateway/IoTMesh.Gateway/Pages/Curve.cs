using System.Text;

namespace IoTMesh.Gateway.Pages;

/// <summary>A series of values fitted into a box, y downwards, evenly spaced in x. Values that are no numbers are left out.</summary>
public sealed record Curve(IReadOnlyList<Point> Points, double Min, double Max, double Mean)
{
    /// <param name="values">Oldest first; below two values there is no curve.</param>
    /// <param name="width">Of the box, in the unit of the drawing.</param>
    /// <param name="height">Of the box, in the unit of the drawing.</param>
    public static Curve Of(IReadOnlyList<double> values, double width, double height)
    {
        double[] drawn = [.. values.Where(double.IsFinite)];
        if (drawn.Length < 2)
        {
            return new Curve([], 0, 0, 0);
        }

        (double min, double max) = (drawn.Min(), drawn.Max());

        // A flat series is drawn through the middle; noise below a thousandth of the value is flat.
        double range = Math.Max(max - min, Math.Max(Math.Abs(max) * 0.001, 1e-9));
        double middle = (min + max) / 2;
        var points = new Point[drawn.Length];
        for (int i = 0; i < drawn.Length; i++)
        {
            points[i] = new Point(width * i / (drawn.Length - 1), height * (0.5 - ((drawn[i] - middle) / range)));
        }

        return new Curve(points, min, max, drawn.Average());
    }

    /// <summary>SVG path of the line; empty without a curve.</summary>
    public string Line(double offsetX, double offsetY)
    {
        var path = new StringBuilder();
        foreach (Point p in Points)
        {
            path.Append(path.Length == 0 ? 'M' : 'L').Append(Display.Px(p.X + offsetX)).Append(' ').Append(Display.Px(p.Y + offsetY));
        }

        return path.ToString();
    }

    /// <summary>SVG path of the area between the line and <paramref name="bottom"/>.</summary>
    public string Area(double bottom) =>
        Points.Count == 0 ? "" : $"{Line(0, 0)}L{Display.Px(Points[^1].X)} {Display.Px(bottom)}L{Display.Px(Points[0].X)} {Display.Px(bottom)}Z";
}
