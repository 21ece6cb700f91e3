using System.ComponentModel;
using IoTMesh.Gateway.Service;
using IoTMesh.Gateway.Settings;
using IoTMesh.Gateway.Site;
using IoTMesh.Gateway.Storage;
using Microsoft.AspNetCore.Http.HttpResults;

namespace IoTMesh.Gateway.Http;

/// <summary>Who may be a member, and the network key, under /api/v1: keys, permit-join, revoke, audit. No answer holds a key or a secret.</summary>
public static class KeysApi
{
    private const int AuditMax = 10_000;

    /// <param name="PermittedUntil">Until then it may join for the first time; null: it may not, or has joined.</param>
    public sealed record MemberInfo(
        string Node, int Address, string DeviceId, DateTimeOffset? Joined, DateTimeOffset? PermittedUntil, DateTimeOffset? Revoked);

    /// <param name="NextEpoch">Number of the key that devices are being told; null where none is.</param>
    /// <param name="Missing">Nodes that have not said that they have it.</param>
    public sealed record KeysInfo(
        long Epoch, DateTimeOffset Since, bool Changing, long? NextEpoch, string Reason, DateTimeOffset? Started, DateTimeOffset? Ended, int Devices,
        IReadOnlyList<string> Missing, IReadOnlyList<MemberInfo> Members);

    /// <param name="Nodes">Null or empty: all.</param>
    /// <param name="Minutes">60 where not given.</param>
    /// <param name="Close">True: nobody new joins from now on.</param>
    public sealed record JoinPermission(IReadOnlyList<string>? Nodes, int? Minutes, bool? Close);

    public sealed record JoinPermitted(string Result, IReadOnlyList<string> Nodes);

    public sealed record AuditInfo(DateTimeOffset Time, string Who, string What, string Target, string Result);

    internal static void Map(IEndpointRouteBuilder api)
    {
        api.MapGet("/keys", GetKeys).WithSummary("The network key's number, its last change, and who is a member").WithTags("Keys");
        api.MapPost("/keys/rotate", RotateAsync).RequireRole(Role.Admin).WithSummary("Changes the network key").WithTags("Keys");
        api.MapPost("/permit-join", PermitJoinAsync).RequireRole(Role.Operator)
            .WithSummary("Lets enrolled devices join for the first time, for a while").WithTags("Keys");
        api.MapPost("/nodes/{id}/revoke", RevokeAsync).RequireRole(Role.Admin).WithTags("Keys")
            .WithSummary("Takes a node's membership away, for good, and changes the network key");
        api.MapGet("/audit", GetAudit).RequireRole(Role.Admin)
            .WithSummary("Who commanded, changed, joined and was refused, newest first").WithTags("Gateway");
    }

    private static KeysInfo GetKeys(KeyKeeper keys, Registry registry)
    {
        KeysState s = keys.State;
        return new KeysInfo(
            s.Epoch, Time(s.SinceMs)!.Value, s.IsChanging, s.IsChanging ? s.NextEpoch : null, s.Reason, Time(s.StartedMs), Time(s.EndedMs), s.Devices,
            s.Missing, [.. registry.Devices.Select(d => Describe(d, registry.MembershipOf(d)))]);
    }

    private static async Task<Accepted<JoinPermitted>> RotateAsync(KeyKeeper keys, HttpContext http)
    {
        await keys.RotateAsync(http.Caller(), "asked for", http.RequestAborted);
        return TypedResults.Accepted("/api/v1/keys", new JoinPermitted("the change of the network key begins within a second", []));
    }

    private static async Task<Results<Ok<JoinPermitted>, NotFound<RestApi.ApiError>, BadRequest<RestApi.ApiError>>> PermitJoinAsync(
        JoinPermission permission, KeyKeeper keys, Registry registry, HttpContext http)
    {
        int minutes = permission.Minutes ?? JoinWindow.DefaultMinutes;
        if (minutes is < 1 or > JoinWindow.MinutesMax)
        {
            return TypedResults.BadRequest(new RestApi.ApiError($"minutes must be a number from 1 to {JoinWindow.MinutesMax}"));
        }

        List<Device>? chosen = permission.Nodes is null or [] or ["all"] ? null : [];
        foreach (string id in chosen is null ? [] : permission.Nodes!)
        {
            if (registry.FindEither(id) is not { } device)
            {
                return TypedResults.NotFound(new RestApi.ApiError($"no node {id} in this site"));
            }

            chosen!.Add(device);
        }

        JoinWindowResult result = await keys.PermitJoinAsync(chosen, permission.Close == true ? 0 : minutes, http.Caller(), http.RequestAborted);
        return TypedResults.Ok(new JoinPermitted(result.Describe(), [.. result.Changed.Select(d => d.Id)]));
    }

    private static async Task<Results<NoContent, NotFound<RestApi.ApiError>, Conflict<RestApi.ApiError>>> RevokeAsync(
        string id, KeyKeeper keys, Registry registry, HttpContext http)
    {
        if (registry.FindEither(id) is not { } device)
        {
            return TypedResults.NotFound(new RestApi.ApiError($"no node {id} in this site"));
        }

        string? error = await keys.RevokeAsync(device, http.Caller(), http.RequestAborted);
        return error is null ? TypedResults.NoContent() : TypedResults.Conflict(new RestApi.ApiError(error));
    }

    private static IEnumerable<AuditInfo> GetAudit(
        GatewayStore store,
        [Description("At or after this time.")] DateTimeOffset? since = null,
        [Description("At most so many, up to 10000.")] int limit = 200)
    {
        return store.ReadAudit(since?.ToUnixTimeMilliseconds() ?? 0, Math.Clamp(limit, 1, AuditMax))
            .Select(e => new AuditInfo(DateTimeOffset.FromUnixTimeMilliseconds(e.TimeMs), e.Who, e.What, e.Target, e.Result));
    }

    private static MemberInfo Describe(Device device, Membership? member)
    {
        bool isOutside = member is { HasJoined: false, IsRevoked: false };
        return new MemberInfo(
            device.Id, device.Address, device.DeviceId, Time(member?.JoinedMs ?? 0), isOutside ? Time(member!.PermitUntilMs) : null,
            Time(member?.RevokedMs ?? 0));
    }

    private static DateTimeOffset? Time(long ms)
    {
        return ms == 0 ? null : DateTimeOffset.FromUnixTimeMilliseconds(ms);
    }
}
