using System.ComponentModel;
using System.Text.Json;
using IoTMesh.Core;
using IoTMesh.Gateway.Bridge;
using IoTMesh.Gateway.Live;
using IoTMesh.Gateway.Settings;
using IoTMesh.Gateway.Site;
using IoTMesh.Gateway.Storage;
using IoTMesh.Mqtt;
using Microsoft.AspNetCore.Http.HttpResults;

namespace IoTMesh.Gateway.Http;

/// <summary>The REST interface under /api/v1; /openapi/v1.json describes it.</summary>
public static class RestApi
{
    private const int ReadingsMax = 10_000;

    public sealed record ApiError(string Error);

    public sealed record GatewayInfo(
        string Gateway, string Site, string Version, int Address, int Nodes, int NodesOnline, string Broker, bool BrokerConnected);

    public sealed record ReadingValue(string Name, string Label, double Value, string Unit, DateTimeOffset At);

    public sealed record NodeInfo(
        string Id, int Address, string? DeviceId, string Name, string Model, string Version, bool Online, bool Gateway, DateTimeOffset? LastSeen,
        int? Hops, int? RssiDbm, string? Parent, double UptimeSeconds, IReadOnlyList<ReadingValue> Readings, IReadOnlyList<DeviceKey> Keys);

    public sealed record Reading(
        DateTimeOffset Time, int Boot, long Seq, int Hops, int RssiDbm, IReadOnlyDictionary<string, object> Values,
        IReadOnlyDictionary<string, string> Units);

    public sealed record OutboxInfo(long Depth, long Bytes, double OldestSeconds, long Published, bool BrokerConnected);

    public sealed record Renaming(string Name);

    public static void Map(WebApplication app)
    {
        RouteGroupBuilder api = app.MapGroup("/api/v1");
        api.MapGet("/gateway", GetGateway).WithSummary("The gateway").WithTags("Gateway");
        api.MapGet("/outbox", GetOutbox).WithSummary("What waits for the broker").WithTags("Gateway");
        api.MapGet("/events", GetEvents).WithSummary("The last events, newest first").WithTags("Gateway");
        api.MapGet("/topology", GetTopology).WithSummary("Nodes and links as the map shows them").WithTags("Gateway");
        api.MapGet("/nodes", GetNodes).WithSummary("All nodes with their latest readings").WithTags("Nodes");
        api.MapGet("/nodes/{id}", GetNode).WithSummary("One node").WithTags("Nodes");
        api.MapGet("/nodes/{id}/readings", GetReadings).WithSummary("Stored readings, newest first").WithTags("Nodes");
        api.MapPost("/nodes/{id}/commands", PostCommandAsync).RequireRole(Role.Operator).WithTags("Nodes")
            .WithSummary("Sends a command and waits for the node's answer")
            .WithDescription(
                "Body: {\"op\":\"set\",\"led\":true}, {\"op\":\"get\",\"key\":\"led\"} or {\"op\":\"ping\"}. 504 where the node does not answer.")
            .Accepts<JsonElement>("application/json").Produces(200).Produces<ApiError>(404).Produces(400).Produces(422).Produces(504);
        DiagnosticsApi.Map(api);
        KeysApi.Map(api);
        AccessApi.Map(api);
        api.MapPatch("/nodes/{id}", RenameAsync).RequireRole(Role.Operator).WithSummary("Gives a node another name").WithTags("Nodes");
        api.MapDelete("/nodes/{id}", RemoveAsync).RequireRole(Role.Admin)
            .WithSummary("Removes a node from the site, with its readings").WithTags("Nodes");
    }

    private static GatewayInfo GetGateway(GatewaySettings settings, ILiveView live)
    {
        MeshView view = live.Current;
        return new GatewayInfo(
            settings.Gateway, settings.Site, GatewayVersion.Text, settings.Address, view.Nodes.Count(n => !n.IsGateway),
            view.Nodes.Count(n => n is { IsGateway: false, Online: true }), view.Outbox.Broker, view.Outbox.BrokerConnected);
    }

    private static OutboxInfo GetOutbox(GatewayStore store, OutboxPublisher publisher, IMqttClient mqtt, TimeProvider time)
    {
        OutboxState state = store.ReadOutboxState();
        double oldest = state.Depth == 0 ? 0 : (time.GetUtcNow().ToUnixTimeMilliseconds() - state.OldestMs) / 1000.0;
        return new OutboxInfo(state.Depth, state.Bytes, Math.Max(0, oldest), publisher.Published, mqtt.IsConnected);
    }

    private static IEnumerable<EventView> GetEvents(ILiveView live, [Description("At most so many.")] int limit = 100)
    {
        return live.Current.Events.Take(Math.Clamp(limit, 1, 500));
    }

    private static IResult GetTopology(ILiveView live)
    {
        return Results.Bytes(Payloads.Topology(live.Current), "application/json");
    }

    private static IEnumerable<NodeInfo> GetNodes(ILiveView live, Registry registry)
    {
        MeshView view = live.Current;
        return view.Nodes.Select(n => Describe(view, n, registry));
    }

    private static Results<Ok<NodeInfo>, NotFound<ApiError>> GetNode(string id, ILiveView live, Registry registry)
    {
        MeshView view = live.Current;
        return view.Nodes.FirstOrDefault(n => n.Id == id) is { } node
            ? TypedResults.Ok(Describe(view, node, registry))
            : TypedResults.NotFound(Unknown(id));
    }

    private static Results<Ok<IEnumerable<Reading>>, NotFound<ApiError>> GetReadings(
        string id, Registry registry, GatewayStore store,
        [Description("Measured at or after this time.")] DateTimeOffset? from = null,
        [Description("Measured at or before this time.")] DateTimeOffset? to = null,
        [Description("At most so many, up to 10000.")] int limit = 100)
    {
        if (registry.Find(id) is not { } device)
        {
            return TypedResults.NotFound(Unknown(id));
        }

        long fromMs = from?.ToUnixTimeMilliseconds() ?? 0;
        long toMs = to?.ToUnixTimeMilliseconds() ?? long.MaxValue;
        return TypedResults.Ok(store.ReadReadings(device, fromMs, toMs, Math.Clamp(limit, 1, ReadingsMax)).Select(Describe));
    }

    private static async Task<IResult> PostCommandAsync(string id, HttpRequest http, Registry registry, CommandRunner runner)
    {
        if (registry.Find(id) is not { } device)
        {
            return Results.NotFound(Unknown(id));
        }

        if (!http.HasJsonContentType())
        {
            return Results.Json(new ApiError("send the command as application/json"), statusCode: StatusCodes.Status415UnsupportedMediaType);
        }

        var body = new MemoryStream();
        await http.Body.CopyToAsync(body, http.HttpContext.RequestAborted);
        CommandRequest request = CommandRequest.Parse("", body.ToArray());
        if (request.Error is not null)
        {
            return Results.Bytes(CommandRunner.Refuse(request, id, request.Error), "application/json").WithStatus(StatusCodes.Status400BadRequest);
        }

        CommandResult result = await runner.RunAsync(http.HttpContext.Caller(), device, request, http.HttpContext.RequestAborted);
        int status = result.Ok ? StatusCodes.Status200OK
            : result.IsAnswered ? StatusCodes.Status422UnprocessableEntity
            : StatusCodes.Status504GatewayTimeout;
        return Results.Bytes(result.Json, "application/json").WithStatus(status);
    }

    private static async Task<Results<NoContent, NotFound<ApiError>, BadRequest<ApiError>>> RenameAsync(
        string id, Renaming renaming, HttpContext context, Registry registry, GatewayOperations operations, CancellationToken cancellationToken)
    {
        if (registry.Find(id) is not { } device)
        {
            return TypedResults.NotFound(Unknown(id));
        }

        string? error = await operations.RenameAsync(context.Caller(), device, renaming.Name ?? "", cancellationToken);
        return error is null ? TypedResults.NoContent() : TypedResults.BadRequest(new ApiError(error));
    }

    private static async Task<Results<NoContent, NotFound<ApiError>>> RemoveAsync(
        string id, HttpContext context, Registry registry, GatewayOperations operations, CancellationToken cancellationToken)
    {
        if (registry.Find(id) is not { } device)
        {
            return TypedResults.NotFound(Unknown(id));
        }

        await operations.RemoveAsync(context.Caller(), device, cancellationToken);
        return TypedResults.NoContent();
    }

    private static NodeInfo Describe(MeshView view, NodeView n, Registry registry)
    {
        Device? device = registry.Find(n.Address);
        return new NodeInfo(
            n.Id, n.Address, device?.DeviceId, n.Name, n.Model, device?.Version ?? "", n.Online, n.IsGateway, n.LastSeen, n.Hops, n.RssiDbm,
            view.Nodes.FirstOrDefault(p => p.Address == n.Parent)?.Id, n.UptimeMs / 1000.0,
            n.Readings.Select(r => new ReadingValue(r.Name, r.Label, r.Value, r.Unit, r.At)).ToList(), device?.Keys ?? []);
    }

    private static Reading Describe(StoredReading r)
    {
        IReadOnlyList<NamedValue> values = Decoded.Values(r.Payload);
        return new Reading(
            DateTimeOffset.FromUnixTimeMilliseconds(r.TimeMs), r.Boot, r.Seq, r.Hops, r.RssiDbm,
            values.ToDictionary(v => v.Name, v => v.Text ?? (v.Kind.Form == ReadingForm.Binary ? v.Value != 0 : (object)v.Value)),
            values.Where(v => v.Kind.Unit.Length > 0).ToDictionary(v => v.Name, v => v.Kind.Unit));
    }

    private static ApiError Unknown(string id)
    {
        return new ApiError($"no node {id} in this site");
    }

    private static IResult WithStatus(this IResult result, int status)
    {
        return new StatusResult(result, status);
    }

    private sealed class StatusResult(IResult inner, int status) : IResult
    {
        public Task ExecuteAsync(HttpContext context)
        {
            context.Response.StatusCode = status;
            return inner.ExecuteAsync(context);
        }
    }
}
