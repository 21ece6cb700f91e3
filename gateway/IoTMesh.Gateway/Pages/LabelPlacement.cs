namespace IoTMesh.Gateway.Pages;

/// <summary>Where the two lines of a label stand, pixels from the middle of the node.</summary>
/// <param name="Anchor">SVG text-anchor: start, middle or end.</param>
public readonly record struct LabelSlot(string Anchor, double X, double NameY, double CaptionY);

/// <summary>
/// Finds for each node the side where its label covers the fewest links, nodes and other labels. Goes by places alone, so
/// that labels stand still while values change.
/// </summary>
public static class LabelPlacement
{
    private const double NameHeight = 12;
    private const double CaptionHeight = 11;

    private const double LinkCost = 1;
    private const double LabelCost = 3;
    private const double NodeCost = 5;
    private const double OutsideCost = 20;

    private readonly record struct Box(double Left, double Top, double Right, double Bottom)
    {
        internal bool Overlaps(Box other) => Left < other.Right && other.Left < Right && Top < other.Bottom && other.Top < Bottom;
    }

    /// <param name="nodes">Places of the nodes, pixels.</param>
    /// <param name="widths">Widths of their labels, pixels.</param>
    /// <param name="links">Pairs of indices into <paramref name="nodes"/>.</param>
    public static LabelSlot[] Place(
        Point[] nodes, double[] widths, IReadOnlyList<(int A, int B)> links, double radius, double frameWidth, double frameHeight)
    {
        var slots = new LabelSlot[nodes.Length];
        var taken = new List<Box>();
        Box[] discs = [.. nodes.Select(p => new Box(p.X - radius, p.Y - radius, p.X + radius, p.Y + radius))];
        var frame = new Box(0, 0, frameWidth, frameHeight);
        for (int i = 0; i < nodes.Length; i++)
        {
            double best = double.PositiveInfinity;
            Box[] bestBoxes = [];
            double preference = 0;
            foreach (LabelSlot slot in Slots(radius))
            {
                Box[] boxes = BoxesOf(slot, nodes[i], widths[i]);
                double covered = boxes.Sum(box => links.Count(link => Crosses(box, nodes[link.A], nodes[link.B])));
                double cost = preference + (LinkCost * covered) + boxes.Sum(box => CostOf(box, frame, discs, taken));
                preference += 0.1;
                if (cost < best)
                {
                    (best, bestBoxes, slots[i]) = (cost, boxes, slot);
                }
            }

            taken.AddRange(bestBoxes);
        }

        return slots;
    }

    // Beside a node the name stands above its level and the caption below, so that a level link runs between them.
    private static LabelSlot[] Slots(double radius) =>
    [
        new("start", radius + 4, -5, 15),
        new("middle", 0, radius + 13, radius + 26),
        new("end", -radius - 4, -5, 15),
        new("middle", 0, -radius - 17, -radius - 5),
        new("start", (radius * 0.7) + 4, radius + 6, radius + 19),
        new("start", (radius * 0.7) + 4, -radius - 10, -radius + 3),
        new("end", (-radius * 0.7) - 4, radius + 6, radius + 19),
        new("end", (-radius * 0.7) - 4, -radius - 10, -radius + 3),
    ];

    private static Box[] BoxesOf(LabelSlot slot, Point at, double width)
    {
        double left = at.X + slot.X - (slot.Anchor switch { "start" => 0, "middle" => width / 2, _ => width });
        return
        [
            new Box(left, at.Y + slot.NameY - NameHeight + 2, left + width, at.Y + slot.NameY + 2),
            new Box(left, at.Y + slot.CaptionY - CaptionHeight + 2, left + width, at.Y + slot.CaptionY + 2),
        ];
    }

    private static double CostOf(Box box, Box frame, Box[] discs, List<Box> taken)
    {
        bool inside = box.Left >= frame.Left && box.Right <= frame.Right && box.Top >= frame.Top && box.Bottom <= frame.Bottom;
        return (inside ? 0 : OutsideCost) + (NodeCost * discs.Count(box.Overlaps)) + (LabelCost * taken.Count(box.Overlaps));
    }

    /// <summary>Liang-Barsky: does any part of the segment lie in the box.</summary>
    private static bool Crosses(Box box, Point a, Point b)
    {
        double enter = 0;
        double leave = 1;
        Point d = b - a;
        return Clip(-d.X, a.X - box.Left, ref enter, ref leave) && Clip(d.X, box.Right - a.X, ref enter, ref leave)
            && Clip(-d.Y, a.Y - box.Top, ref enter, ref leave) && Clip(d.Y, box.Bottom - a.Y, ref enter, ref leave);
    }

    private static bool Clip(double towards, double distance, ref double enter, ref double leave)
    {
        if (towards == 0)
        {
            return distance >= 0;
        }

        double at = distance / towards;
        if (towards < 0)
        {
            enter = Math.Max(enter, at);
        }
        else
        {
            leave = Math.Min(leave, at);
        }

        return enter <= leave;
    }
}
