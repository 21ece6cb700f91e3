using System.Globalization;
using System.Text;

namespace IoTMesh.Simulation;

/// <summary>Draws a <see cref="CompareResult"/> as bars, one colour for each layout, in one SVG without script, font or link.</summary>
internal static class CompareChart
{
    private const int Width = 1000;
    private const int Left = 56;
    private const int PanelHeight = 170;
    private const int Gap = 66;
    private const int Top = 84;

    // Told apart by colour-blind people too (Okabe and Ito).
    private static readonly string[] _colors = ["#0072b2", "#56b4e9", "#009e73", "#e69f00", "#d55e00"];

    private sealed record Panel(string Title, string Unit, double Max, IReadOnlyList<(string Name, IReadOnlyList<double> Values)> Groups);

    internal static string Draw(CompareResult result)
    {
        StringBuilder svg = new();
        int height = Top + (3 * (PanelHeight + Gap));
        Line(svg, $"<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {Width} {height}\" font-family=\"sans-serif\" font-size=\"12\">");
        Line(svg, $"<rect width=\"{Width}\" height=\"{height}\" fill=\"#ffffff\"/>");
        CompareOptions options = result.Options;
        string what = $"{options.Nodes} nodes, the same traffic and the same faults on each layout";
        Line(svg, $"<text x=\"{Left}\" y=\"26\" font-size=\"16\" fill=\"#222222\">{what}</text>");
        foreach ((int i, CompareRow row) in result.Rows.Index())
        {
            int x = Left + (i * 150);
            Line(svg, $"<rect x=\"{x}\" y=\"40\" width=\"12\" height=\"12\" fill=\"{_colors[i]}\"/>");
            Line(svg, $"<text x=\"{x + 18}\" y=\"51\" fill=\"#222222\">{row.Layout}</text>");
        }

        Draw(svg, Delivered(result, "Delivered from node to node", phase => phase.BetweenNodes), Left, Top, Width - Left - 20);
        Draw(svg, Delivered(result, "Delivered to the gateway", phase => phase.ToGateway), Left, Top + PanelHeight + Gap, Width - Left - 20);
        Panel[] costs =
        [
            Cost(result, "Latency, node to node", "ms", [("median", row => row.NodeLatencyMs.P50)]),
            Cost(result, "On air, a message", "bytes", [("all traffic", row => row.BytesPerMessage)]),
            Cost(result, "Energy of sending, a message", "mJ", [("all nodes", row => row.SendingMillijoulesPerMessage)]),
            Cost(result, "Energy of sending, an hour", "J", [("busiest node", row => row.SendingJoulesPerNodeHour.Busiest)]),
        ];
        foreach ((int i, Panel panel) in costs.Index())
        {
            Draw(svg, panel, Left + (i * 240), Top + (2 * (PanelHeight + Gap)), 180);
        }

        return svg.Append("</svg>\n").ToString();
    }

    private static Panel Delivered(CompareResult result, string title, Func<ComparePhase, CompareCount> kind) => new(
        title,
        "%",
        100,
        [.. result.Rows[0].Phases.Select((phase, i) =>
            (phase.Name, (IReadOnlyList<double>)[.. result.Rows.Select(row => kind(row.Phases[i]).Percent)]))]);

    private static Panel Cost(CompareResult result, string title, string unit, IReadOnlyList<(string Name, Func<CompareRow, double> Value)> figures)
    {
        List<(string Name, IReadOnlyList<double> Values)> groups =
            [.. figures.Select(figure => (figure.Name, (IReadOnlyList<double>)[.. result.Rows.Select(figure.Value)]))];
        return new Panel(title, unit, Math.Max(groups.Max(group => group.Values.Max()), 1e-9) * 1.15, groups);
    }

    private static void Draw(StringBuilder svg, Panel panel, int left, int top, int width)
    {
        int bottom = top + PanelHeight;
        Line(svg, $"<text x=\"{left}\" y=\"{top - 12}\" font-weight=\"bold\" fill=\"#222222\">{panel.Title}, {panel.Unit}</text>");
        Line(svg, $"<path d=\"M{left} {top}V{bottom}H{left + width}\" fill=\"none\" stroke=\"#888888\"/>");
        double groupWidth = (double)width / panel.Groups.Count;
        foreach ((int g, (string name, IReadOnlyList<double> values)) in panel.Groups.Index())
        {
            double barWidth = Math.Min(30, (groupWidth - 12) / values.Count);
            double first = left + (g * groupWidth) + ((groupWidth - (barWidth * values.Count)) / 2);
            foreach ((int i, double value) in values.Index())
            {
                DrawBar(svg, first + (i * barWidth), bottom, barWidth - 1, PanelHeight * Math.Clamp(value / panel.Max, 0, 1), i, value);
            }

            double middle = left + ((g + 0.5) * groupWidth);
            Line(svg, $"<text x=\"{middle:0.#}\" y=\"{bottom + 16}\" font-size=\"11\" text-anchor=\"middle\" fill=\"#222222\">{name}</text>");
        }
    }

    private static void DrawBar(StringBuilder svg, double x, double bottom, double width, double height, int layout, double value)
    {
        double top = bottom - height;
        string label = value.ToString(value >= 99.95 ? "0" : value >= 10 ? "0.#" : "0.##", CultureInfo.InvariantCulture);
        Line(svg, $"<rect x=\"{x:0.#}\" y=\"{top:0.#}\" width=\"{width:0.#}\" height=\"{height:0.#}\" fill=\"{_colors[layout]}\"/>");
        Line(svg, $"<text x=\"{x + (width / 2):0.#}\" y=\"{top - 3:0.#}\" font-size=\"8\" text-anchor=\"middle\" fill=\"#444444\">{label}</text>");
    }

    private static void Line(StringBuilder svg, FormattableString line) => svg.Append(line.ToString(CultureInfo.InvariantCulture)).Append('\n');
}
