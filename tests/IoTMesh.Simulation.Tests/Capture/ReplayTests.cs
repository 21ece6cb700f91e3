using System.Text;
using System.Text.Json;
using IoTMesh.Core;

namespace IoTMesh.Simulation.Tests.Capture;

public class ReplayTests
{
    [Fact]
    public void A_long_run_is_sampled_to_a_bounded_page_that_says_so()
    {
        Scenario scenario = DissectorTests.Parse("""
            {"durationSeconds": 60, "topology": {"kind": "grid8", "nodes": 12, "loss": 0.2},
             "traffic": [{"from": "all", "to": "gateway", "periodSeconds": 1}], "faults": [{"atSeconds": 20, "kill": 3}]}
            """);
        ReplayRecorder recorder = new(scenario, 1);
        ManyTimes many = new(recorder, 40);
        SimulationRun.Run(scenario, options: new VirtualMeshOptions { Watch = many });
        using JsonDocument data = Data(recorder, out int bytes);
        long stride = data.RootElement.GetProperty("frameStride").GetInt64();
        int frames = data.RootElement.GetProperty("frames").GetArrayLength() / 6;
        Assert.True(many.Told > 2 * ReplayRecorder.FramesMax, $"{many.Told} frames");
        Assert.Equal(many.Told, data.RootElement.GetProperty("framesSeen").GetInt64());
        Assert.InRange(frames, ReplayRecorder.FramesMax / 4, ReplayRecorder.FramesMax);
        Assert.InRange(many.Told / stride, frames - 1, frames + 1);
        Assert.True(bytes < 6_000_000, $"{bytes} bytes");
    }

    [Fact]
    public void Measured_links_without_places_are_laid_out_by_their_quality()
    {
        Topology topology = Topology.Create(TopologyKind.Line, 12);
        RadioPosition[] places = SpringLayout.Of(topology);
        Assert.Equal(places, SpringLayout.Of(topology));
        double Distance(int a, int b) => Math.Sqrt(Math.Pow(places[a].X - places[b].X, 2) + Math.Pow(places[a].Y - places[b].Y, 2));
        double mean = Enumerable.Range(0, 11).Average(i => Distance(i, i + 1));
        Assert.All(Enumerable.Range(0, 11), i => Assert.InRange(Distance(i, i + 1), mean / 4, mean * 4));
        Assert.True(Distance(0, 11) > 3 * mean);
    }

    private static JsonDocument Data(ReplayRecorder recorder, out int bytes)
    {
        using MemoryStream stream = new();
        recorder.Write(stream);
        bytes = (int)stream.Length;
        string html = Encoding.UTF8.GetString(stream.ToArray());
        const string Begin = "<script type=\"application/json\" id=\"data\">";
        int from = html.IndexOf(Begin, StringComparison.Ordinal) + Begin.Length;
        return JsonDocument.Parse(html[from..html.IndexOf("</script>", from, StringComparison.Ordinal)]);
    }

    /// <summary>Tells of each frame many times, as a longer run would.</summary>
    private sealed class ManyTimes(IRunWatch inner, int times) : IRunWatch
    {
        internal long Told { get; private set; }

        public void FrameEnded(in AirFrame frame)
        {
            for (int i = 0; i < times; i++)
            {
                inner.FrameEnded(frame);
                Told++;
            }
        }

        public void Begun(VirtualMesh mesh) => inner.Begun(mesh);

        public void RouteChanged(long nowUs, int node) => inner.RouteChanged(nowUs, node);

        public void Faulted(long nowUs, FaultEntry fault) => inner.Faulted(nowUs, fault);

        public void Made(long nowUs, int reading, int from, int to, SendResult taken) => inner.Made(nowUs, reading, from, to, taken);

        public void Delivered(long nowUs, int reading, int at) => inner.Delivered(nowUs, reading, at);

        public void Violated(long nowUs, string what) => inner.Violated(nowUs, what);

        public void Ended(long nowUs) => inner.Ended(nowUs);
    }
}
