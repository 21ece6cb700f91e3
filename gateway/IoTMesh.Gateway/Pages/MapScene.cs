using IoTMesh.Gateway.Live;

namespace IoTMesh.Gateway.Pages;

/// <summary>A node as drawn. Places in CSS pixels.</summary>
/// <param name="Mark">Stands in the node: its hops, or, where names have no room beside the nodes, the number that ends its name.</param>
public sealed record MapNode(NodeView Node, Point At, string Mark, string Caption, string Title, LabelSlot Label);

/// <summary>A pair of nodes that hear each other as drawn: one line for both directions. Places in CSS pixels.</summary>
/// <param name="Quality">1 the best to 4 the worst.</param>
/// <param name="IsRoute">The line then leads from <paramref name="From"/>, the child, to <paramref name="To"/>, its next hop.</param>
/// <param name="IsDown">One of the two is offline.</param>
public sealed record MapLink(string Key, Point From, Point To, int Quality, bool IsRoute, bool IsDown, string Title);

/// <summary>One drawing of the mesh, fitted to the size of its frame.</summary>
public sealed record MapScene(IReadOnlyList<MapNode> Nodes, IReadOnlyList<MapLink> Links, double Radius, bool Crowded)
{
    /// <summary>No hop is drawn longer than this, pixels: a mesh of three nodes need not fill the frame.</summary>
    private const double HopLengthMax = 220;

    /// <summary>How much longer a hop may be drawn in one direction than in the other.</summary>
    private const double StretchMax = 2.4;

    /// <param name="width">Frame, CSS pixels.</param>
    /// <param name="height">Frame, CSS pixels.</param>
    public static MapScene Build(MeshView view, MapDrawing drawing, double width, double height)
    {
        Dictionary<ushort, NodeView> nodes = view.Nodes.DistinctBy(node => node.Address)
            .Where(node => drawing.Places.ContainsKey(node.Address)).ToDictionary(node => node.Address);
        bool crowded = nodes.Count > 40;
        double radius = crowded ? 10 : nodes.Count > 20 || width < 560 ? 13 : 17;
        double labelWidth = crowded ? 30 : nodes.Values.Select(node => LabelWidth(node.Name)).DefaultIfEmpty(0).Max();
        Dictionary<ushort, Point> places = Fitted(nodes.Keys, drawing.Places, new Frame(width, height, radius + 6, labelWidth));
        Dictionary<ushort, LabelSlot> labels = crowded
            ? nodes.Keys.ToDictionary(address => address, _ => new LabelSlot("start", radius + 4, -5, 15))
            : Labels(nodes, drawing, places, radius, new Frame(width, height, 0, 0));
        MapNode[] drawnNodes = [.. nodes.Values.Select(node => DrawnNode(node, places[node.Address], nodes, crowded, labels[node.Address]))];
        MapLink[] drawnLinks = [.. Pairs(view, nodes).Select(pair => DrawnLink(pair, nodes, places, radius)).OrderBy(link => link.IsRoute)];
        return new MapScene(drawnNodes, drawnLinks, radius, crowded);
    }

    /// <summary>Class of a link: 1 up to an ETX of 1.3, 2 up to 2, 3 up to 3, else 4.</summary>
    public static int QualityOf(double etx) => etx switch { <= 1.3 => 1, <= 2.0 => 2, <= 3.0 => 3, _ => 4 };

    private static Dictionary<ushort, Point> Fitted(
        IEnumerable<ushort> addresses, IReadOnlyDictionary<ushort, Point> positions, Frame frame)
    {
        ushort[] all = [.. addresses];
        if (all.Length == 0)
        {
            return [];
        }

        (double left, double right) = (all.Min(a => positions[a].X), all.Max(a => positions[a].X));
        (double top, double bottom) = (all.Min(a => positions[a].Y), all.Max(a => positions[a].Y));
        bool turn = frame.Width > frame.Height ? bottom - top > (right - left) * 1.2 : right - left > (bottom - top) * 1.2;
        if (turn)
        {
            (left, right, top, bottom) = (top, bottom, left, right);
        }

        double leftEdge = Math.Max(frame.Edge, frame.LabelWidth / 2);
        double roomX = Math.Max(frame.Width - leftEdge - frame.Edge - frame.LabelWidth, 50);
        double roomY = Math.Max(frame.Height - (2 * frame.Edge), 50);
        double scaleX = Math.Min(roomX / Math.Max(right - left, 0.5), HopLengthMax);
        double scaleY = Math.Min(roomY / Math.Max(bottom - top, 0.5), HopLengthMax);
        (scaleX, scaleY) = (Math.Min(scaleX, scaleY * StretchMax), Math.Min(scaleY, scaleX * StretchMax));
        double originX = leftEdge + ((roomX - ((right - left) * scaleX)) / 2);
        double originY = frame.Edge + ((roomY - ((bottom - top) * scaleY)) / 2);
        return all.ToDictionary(a => a, a =>
        {
            Point p = turn ? new Point(positions[a].Y, positions[a].X) : positions[a];
            return new Point(originX + ((p.X - left) * scaleX), originY + ((p.Y - top) * scaleY));
        });
    }

    private static IEnumerable<(LinkView Main, LinkView? Back)> Pairs(MeshView view, Dictionary<ushort, NodeView> nodes)
    {
        return view.Links
            .Where(link => link.From != link.To && nodes.ContainsKey(link.From) && nodes.ContainsKey(link.To))
            .GroupBy(link => link.From < link.To ? (link.From, link.To) : (link.To, link.From))
            .Select(group =>
            {
                LinkView main = group.OrderByDescending(link => link.IsRoute).ThenBy(link => link.From).First();
                return (main, group.FirstOrDefault(link => link.From == main.To));
            });
    }

    private static MapLink DrawnLink(
        (LinkView Main, LinkView? Back) pair, Dictionary<ushort, NodeView> nodes, Dictionary<ushort, Point> places, double radius)
    {
        (LinkView main, LinkView? back) = pair;
        (NodeView from, NodeView to) = (nodes[main.From], nodes[main.To]);
        Point start = places[main.From];
        Point end = places[main.To];
        Point along = end - start;
        double length = Math.Max(along.Length, 1);
        Point unit = along * (1 / length);
        double etx = main.IsRoute || back is null ? main.Etx : Math.Max(main.Etx, back.Etx);
        string title = Described(main, from, to) + (back is null ? "" : "\n" + Described(back, to, from));
        return new MapLink(
            $"{Math.Min(main.From, main.To)}-{Math.Max(main.From, main.To)}",
            start + (unit * Math.Min(radius, length / 3)),
            end - (unit * Math.Min(radius, length / 3)),
            QualityOf(etx),
            main.IsRoute,
            !from.Online || !to.Online,
            title);
    }

    private static string Described(LinkView link, NodeView from, NodeView to)
    {
        string rssi = link.RssiDbm is int dbm ? $", RSSI {dbm} dBm" : "";
        return $"{from.Name} to {to.Name}: ETX {link.Etx:0.00}{rssi}{(link.IsRoute ? ", route" : "")}";
    }

    private static Dictionary<ushort, LabelSlot> Labels(
        Dictionary<ushort, NodeView> nodes, MapDrawing drawing, Dictionary<ushort, Point> places, double radius, Frame frame)
    {
        ushort[] addresses = [.. nodes.Keys.Order()];
        Dictionary<ushort, int> index = addresses.Index().ToDictionary(pair => pair.Item, pair => pair.Index);
        (int, int)[] links = [.. drawing.Edges
            .Where(e => index.ContainsKey(e.A) && index.ContainsKey(e.B)).Select(e => (index[e.A], index[e.B]))];
        LabelSlot[] slots = LabelPlacement.Place(
            [.. addresses.Select(a => places[a])], [.. addresses.Select(a => LabelWidth(nodes[a].Name))], links, radius, frame.Width, frame.Height);
        return addresses.Zip(slots).ToDictionary(pair => pair.First, pair => pair.Second);
    }

    // Of the bold name in pixels, roughly; the caption below it is rarely wider than 50.
    private static double LabelWidth(string name) => Math.Max(50, 8 + (7.4 * Math.Min(name.Length, 20)));

    private static MapNode DrawnNode(NodeView node, Point at, Dictionary<ushort, NodeView> nodes, bool crowded, LabelSlot label)
    {
        string hops = node.Hops is int count ? Display.Number(count) : "?";
        string mark = crowded ? Display.NumberOf(node.Name) : node.Online ? hops : "×";
        return new MapNode(node, at, mark, Caption(node), NodeTitle(node, nodes), label);
    }

    private static string Caption(NodeView node)
    {
        if (!node.Online)
        {
            return node.LastSeen is null ? "not seen yet" : "offline";
        }

        ReadingView? main = Display.MainReading(node.Readings);
        return main is null ? "" : Display.Value(main);
    }

    private static string NodeTitle(NodeView node, Dictionary<ushort, NodeView> nodes)
    {
        var parts = new List<string> { node.IsGateway ? $"{node.Name}, gateway" : node.Name, node.Online ? "online" : "offline" };
        if (node.Hops is int hops && !node.IsGateway)
        {
            parts.Add(Display.Count(hops, "hop"));
        }

        if (nodes.TryGetValue(node.Parent, out NodeView? parent))
        {
            parts.Add($"over {parent.Name}");
        }

        if (node.RssiDbm is int dbm)
        {
            parts.Add($"RSSI {dbm} dBm");
        }

        return string.Join(", ", parts);
    }

    /// <summary>The room to draw in, pixels; labels stand to the right of their nodes.</summary>
    private readonly record struct Frame(double Width, double Height, double Edge, double LabelWidth);
}
