using System.Globalization;
using System.Text;
using IoTMesh.Core;
using IoTMesh.Gateway.Bridge;
using IoTMesh.Gateway.Live;
using IoTMesh.Gateway.Mesh;
using IoTMesh.Gateway.Storage;
using IoTMesh.Mqtt;

namespace IoTMesh.Gateway.Http;

/// <summary>The Prometheus text format (version 0.0.4) of what the gateway counts.</summary>
public sealed class Metrics(
    ILiveView live, MeshService mesh, GatewayStore store, OutboxPublisher publisher, CommandService commands, IMqttClient mqtt, TimeProvider time)
{
    public const string ContentType = "text/plain; version=0.0.4; charset=utf-8";

    public string Write()
    {
        var text = new StringBuilder(4096);
        WriteNodes(text);
        WriteMesh(text);
        OutboxState outbox = store.ReadOutboxState();
        double oldestSeconds = outbox.Depth == 0 ? 0 : (time.GetUtcNow().ToUnixTimeMilliseconds() - outbox.OldestMs) / 1000.0;
        Single(text, "iotmesh_outbox_depth", "gauge", "Readings that the broker has not acknowledged.", outbox.Depth);
        Single(text, "iotmesh_outbox_bytes", "gauge", "Their size in the database, about.", outbox.Bytes);
        Single(text, "iotmesh_outbox_oldest_seconds", "gauge", "How long the oldest of them waits.", Math.Max(0, oldestSeconds));
        Single(
            text, "iotmesh_readings_refused_total", "counter", "Readings left with their nodes because storage did not take them.", store.Refused);
        Single(text, "iotmesh_mqtt_connected", "gauge", "1 while connected to the broker.", mqtt.IsConnected ? 1 : 0);
        Single(text, "iotmesh_mqtt_published_total", "counter", "Readings that the broker has acknowledged.", publisher.Published);
        Distribution(text, "iotmesh_mqtt_puback_seconds", "Time to the broker's acknowledgement.", publisher.PubackSeconds);
        Distribution(text, "iotmesh_command_seconds", "Time to a node's answer.", commands.Seconds);
        Single(text, "iotmesh_command_failures_total", "counter", "Requests that ended without an answer.", commands.Failures);
        return text.ToString();
    }

    private void WriteNodes(StringBuilder text)
    {
        List<NodeView> nodes = live.Current.Nodes.Where(n => !n.IsGateway).ToList();
        DateTimeOffset now = time.GetUtcNow();
        Family(text, "iotmesh_node_up", "gauge", "1 while the node is online.", nodes.Select(n => (Label(n), n.Online ? 1.0 : 0)));
        Family(text, "iotmesh_node_rssi_dbm", "gauge", "Strength of the last hop of the node's last message.",
            nodes.Where(n => n.RssiDbm is not null).Select(n => (Label(n), (double)n.RssiDbm!)));
        Family(text, "iotmesh_node_hops", "gauge", "Links that the node's last message crossed.",
            nodes.Where(n => n.Hops is not null).Select(n => (Label(n), (double)n.Hops!)));
        Family(text, "iotmesh_node_battery_ratio", "gauge", "Charge, 0 to 1.", nodes.SelectMany(
            n => n.Readings.Where(r => r.Name == "battery").Select(r => (Label(n), r.Value / 100))));
        Family(text, "iotmesh_node_last_seen_seconds", "gauge", "Time since the node's last message.",
            nodes.Where(n => n.LastSeen is not null).Select(n => (Label(n), (now - n.LastSeen!.Value).TotalSeconds)));
    }

    private void WriteMesh(StringBuilder text)
    {
        MeshSnapshot s = mesh.Snapshot;
        var frames = new List<(string, double)> { ("{dir=\"tx\",result=\"sent\"}", s.FramesSent) };
        long refused = s.Refused.Sum(r => r.Count);
        frames.Add(("{dir=\"rx\",result=\"accepted\"}", s.FramesReceived - Math.Min(refused, s.FramesReceived)));
        frames.AddRange(s.Refused.Select(r => ($"{{dir=\"rx\",result=\"{Words(r.Reason)}\"}}", (double)r.Count)));
        Family(text, "iotmesh_frames_total", "counter", "Frames of the gateway's own radio.", frames);
        Family(text, "iotmesh_frame_bytes_total", "counter", "Bytes of those frames.",
            [("{dir=\"tx\"}", s.BytesSent), ("{dir=\"rx\"}", s.BytesReceived)]);
        Single(text, "iotmesh_route_changes_total", "counter", "Changes of a next hop at the gateway.", s.ParentChanges);
        Single(text, "iotmesh_routes", "gauge", "Destinations that the gateway has a route to.", s.RouteCount);
        Single(text, "iotmesh_messages_dropped_total", "counter", "Messages that the gateway's mesh node gave up.", s.Dropped);
        Single(text, "iotmesh_end_to_end_refused_total", "counter", "Messages with a bad tag, a replayed counter or no key.", s.EndToEndRefused);
        Family(text, "iotmesh_duplicates_dropped_total", "counter", "Copies dropped, by the part that knew them.",
            [("{by=\"mesh\"}", s.Duplicates), ("{by=\"storage\"}", store.Duplicates)]);
        Single(text, "iotmesh_service_faults_total", "counter", "Exceptions that the mesh loop survived; each is a defect.", mesh.Faults);
    }

    private static string Label(NodeView node)
    {
        return $"{{node=\"{node.Id}\"}}";
    }

    private static string Words(ParseError reason)
    {
        return string.Concat(reason.ToString().Select((c, i) => (i > 0 && char.IsUpper(c) ? "_" : "") + char.ToLowerInvariant(c)));
    }

    private static void Distribution(StringBuilder text, string name, string help, Histogram histogram)
    {
        (long[] counts, long count, double sum) = histogram.Read();
        Head(text, name, "histogram", help);
        for (int i = 0; i < counts.Length; i++)
        {
            Line(text, $"{name}_bucket{{le=\"{histogram.Bounds[i].ToString(CultureInfo.InvariantCulture)}\"}}", counts[i]);
        }

        Line(text, $"{name}_bucket{{le=\"+Inf\"}}", count);
        Line(text, $"{name}_sum", sum);
        Line(text, $"{name}_count", count);
    }

    private static void Family(StringBuilder text, string name, string type, string help, IEnumerable<(string Labels, double Value)> values)
    {
        Head(text, name, type, help);
        foreach ((string labels, double value) in values)
        {
            Line(text, name + labels, value);
        }
    }

    private static void Single(StringBuilder text, string name, string type, string help, double value)
    {
        Head(text, name, type, help);
        Line(text, name, value);
    }

    private static void Head(StringBuilder text, string name, string type, string help)
    {
        text.Append("# HELP ").Append(name).Append(' ').Append(help).Append('\n');
        text.Append("# TYPE ").Append(name).Append(' ').Append(type).Append('\n');
    }

    private static void Line(StringBuilder text, string name, double value)
    {
        text.Append(name).Append(' ').Append(value.ToString("R", CultureInfo.InvariantCulture)).Append('\n');
    }
}
