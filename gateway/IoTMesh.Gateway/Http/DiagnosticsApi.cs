using System.Globalization;
using System.Text.Json;
using IoTMesh.Core;
using IoTMesh.Driver;
using IoTMesh.Gateway.Mesh;
using IoTMesh.Gateway.Settings;
using IoTMesh.Gateway.Site;
using IoTMesh.Gateway.Storage;

namespace IoTMesh.Gateway.Http;

/// <summary>Questions to any node over the mesh, under /api/v1/nodes/ID: ping, trace, counters, neighbors, routes. protocol.md 7.4.</summary>
public static class DiagnosticsApi
{
    private const double PerfectLink = 64.0;

    public sealed record PingResult(string Node, bool Ok, string? Error, int? Hops, int? RoundTripMs);

    /// <param name="Etx">Transmissions that a frame takes on the link to the hop before, 1.0 the best.</param>
    public sealed record TraceHop(int Hop, string Node, int Address, string From, double Etx, int RssiDbm, int RoundTripMs);

    public sealed record TraceResult(string Node, bool Ok, string? Error, IReadOnlyList<TraceHop> Hops);

    public sealed record CountersResult(string Node, bool Ok, string? Error, IReadOnlyDictionary<string, long> Counters);

    public sealed record NeighborRow(string Node, int Address, double Etx, int RssiDbm, bool Verified, int SilentSeconds);

    public sealed record NeighborsResult(string Node, bool Ok, string? Error, IReadOnlyList<NeighborRow> Neighbors);

    public sealed record RouteRow(string Node, int Address, string NextHop, double? Etx, int Seqno, bool Gateway, int Feasible);

    public sealed record RoutesResult(string Node, bool Ok, string? Error, IReadOnlyList<RouteRow> Routes);

    internal static void Map(IEndpointRouteBuilder api)
    {
        Add(api, "ping", "A sign of life over the mesh, with its round trip", DiagnosisKind.Ping, (names, node, outcome) =>
        {
            DiagnosisAnswer? answer = outcome.Answers.Count > 0 ? outcome.Answers[0] : null;
            return new PingResult(node, outcome.Error is null, outcome.Error, answer?.Hop, answer?.RoundTripMs);
        });
        Add(api, "trace", "Each hop on the way to the node, with its link and round trip", DiagnosisKind.Trace, (names, node, outcome) =>
            new TraceResult(node, outcome.Error is null, outcome.Error, [.. outcome.Answers.Where(a => a.Trace is not null).Select(a => new TraceHop(
                a.Hop, names(a.Origin), a.Origin, names(a.Trace!.Previous), Etx(a.Trace.LinkCost), a.Trace.RssiDbm, a.RoundTripMs))]));
        Add(api, "counters", "The node's own counters", DiagnosisKind.Counters, (names, node, outcome) =>
            new CountersResult(node, outcome.Error is null, outcome.Error, Rows(outcome)
                .Zip(Diagnosis.CounterNames, (row, name) => (Name: JsonNamingPolicy.SnakeCaseLower.ConvertName(name), Value: (long)(uint)row[0]))
                .ToDictionary(c => c.Name, c => c.Value)));
        Add(api, "neighbors", "The node's neighbor table", DiagnosisKind.Neighbors, (names, node, outcome) =>
            new NeighborsResult(node, outcome.Error is null, outcome.Error, [.. Rows(outcome).Select(
                r => new NeighborRow(names((ushort)r[0]), r[0], Etx(r[1]), r[2], r[3] != 0, r[4]))]));
        Add(api, "routes", "The node's route table", DiagnosisKind.Routes, (names, node, outcome) =>
            new RoutesResult(node, outcome.Error is null, outcome.Error, [.. Rows(outcome).Select(r => new RouteRow(
                names((ushort)r[0]), r[0], names((ushort)r[1]), r[2] >= MeshConfig.InfiniteMetric ? null : Etx(r[2]), r[3], r[4] != 0, r[5]))]));
    }

    private static void Add<T>(
        IEndpointRouteBuilder api, string what, string summary, DiagnosisKind kind, Func<Func<ushort, string>, string, DiagnosisOutcome, T> describe)
    {
        api.MapGet($"/nodes/{{id}}/{what}", async (
            string id, Registry registry, GatewaySettings settings, DiagnosticService diagnostics, CancellationToken cancellationToken) =>
        {
            bool isNumber = ushort.TryParse(id, NumberStyles.None, CultureInfo.InvariantCulture, out ushort address);
            bool isSelf = id == settings.Gateway || (isNumber && address == settings.Address);
            Device? device = isSelf ? null : registry.Find(id) ?? (isNumber ? registry.Find(address) : null);
            if (device is null && !isSelf)
            {
                return Results.NotFound(new RestApi.ApiError($"no node {id} in this site"));
            }

            string Name(ushort a) => a == settings.Address ? settings.Gateway : a == 0 ? "" : registry.Find(a)?.Id ?? $"{a}";
            (ushort asked, string name) = device is null ? (settings.Address, settings.Gateway) : (device.Address, device.Id);
            DiagnosisOutcome outcome = await diagnostics.AskAsync(kind, asked, name, cancellationToken);
            int status = outcome.Error is null ? StatusCodes.Status200OK : StatusCodes.Status504GatewayTimeout;
            return Results.Json(describe(Name, name, outcome), statusCode: status);
        }).RequireRole(Role.Operator).WithSummary(summary).WithTags("Diagnostics").Produces<T>(200).Produces<RestApi.ApiError>(404).Produces<T>(504);
    }

    private static IEnumerable<int[]> Rows(DiagnosisOutcome outcome)
    {
        return outcome.Answers.Where(a => a.Table is not null).SelectMany(a => a.Table!.Rows);
    }

    private static double Etx(int cost)
    {
        return Math.Round(cost / PerfectLink, 2);
    }
}
