using IoTMesh.Core;
using IoTMesh.Gateway.Bridge;
using IoTMesh.Gateway.Live;
using IoTMesh.Gateway.Mesh;
using IoTMesh.Gateway.Settings;
using IoTMesh.Gateway.Site;
using IoTMesh.Gateway.Storage;

namespace IoTMesh.Gateway.Service;

/// <summary>
/// Who may be a member, and the network key: tells of joins and refusals, revokes, and changes the key when that is wanted or due. What is
/// wanted and how far it is stands in the database, so that the command line works beside the gateway and a restart goes on.
/// </summary>
public sealed class KeyKeeper(GatewaySettings settings, GatewayStore store, Registry registry, LiveMesh live, TimeProvider time)
{
    /// <summary>Number of a new site's network key.</summary>
    public const uint FirstEpoch = 1;

    private const long DayMs = 86_400_000;
    private static readonly TimeSpan _interval = TimeSpan.FromSeconds(0.5);

    private readonly RefusalLimit _refusals = new();
    private readonly Lock _refreshing = new();
    private volatile KeysState _state = new(FirstEpoch, 0, 0, "", 0, 0, 0, []);
    private MeshService _mesh = null!;

    /// <summary>The network key and its last change.</summary>
    public KeysState State => _state;

    private long NowMs => time.GetUtcNow().ToUnixTimeMilliseconds();

    /// <summary>Completes what the mesh core had stored: the key of a new site, or of one whose records are older than the database.</summary>
    internal void Restore(MeshKeys keys)
    {
        _state = store.ReadState<KeysState>(KeysState.Name) ?? _state with { SinceMs = NowMs };
        if (keys.NetworkKey is null || keys.Epoch < _state.Epoch)
        {
            keys.Epoch = Math.Max(keys.Epoch, _state.Epoch);
            keys.NetworkKey = new byte[KeySchedule.KeyLength];
            registry.TryGetNetworkKey(keys.Epoch, keys.NetworkKey);
        }

        if (keys.NextNetworkKey is not null && keys.NextEpoch > keys.Epoch && !_state.IsChanging)
        {
            _state = _state with { NextEpoch = keys.NextEpoch, Reason = "was begun before", StartedMs = NowMs, EndedMs = 0 };
        }

        if (_state.Epoch < keys.Epoch)
        {
            bool isOver = _state.NextEpoch <= keys.Epoch;
            _state = _state with
            {
                Epoch = keys.Epoch,
                SinceMs = NowMs,
                NextEpoch = isOver ? 0 : _state.NextEpoch,
                EndedMs = isOver ? NowMs : 0,
            };
        }
    }

    internal void Attach(MeshService mesh)
    {
        _mesh = mesh;
        registry.KeyDropped += address =>
        {
            mesh.ForgetPeer(address);
            if (registry.Find(address) is { } device && registry.MembershipOf(device) is { IsRevoked: true })
            {
                live.AddEvent("warning", device.Id, "revoked: nothing of it is taken any more");
            }
        };
    }

    /// <summary>Takes over what this or another process has changed in the database.</summary>
    /// <param name="always">Also where neither devices nor memberships differ.</param>
    public void Refresh(bool always = false)
    {
        lock (_refreshing)
        {
            IReadOnlyList<Device> devices = store.LoadDevices();
            IReadOnlyList<Membership> memberships = store.LoadMemberships();
            if (!always && registry.IsSame(devices, memberships))
            {
                return;
            }

            foreach (Device device in devices.Where(d => registry.Find(d.Address)?.DeviceId != d.DeviceId))
            {
                live.AddEvent("info", device.Id, "enrolled");
            }

            registry.Replace(devices, memberships);
        }
    }

    /// <summary>Takes a device's membership away and begins to change the network key. Null, or why not.</summary>
    /// <param name="who">For the audit.</param>
    public async Task<string?> RevokeAsync(Device device, string who, CancellationToken cancellationToken)
    {
        if (registry.MembershipOf(device) is { IsRevoked: true })
        {
            return $"{device.Id} is revoked already";
        }

        await RevokeAsync(store, device, who, time, cancellationToken);
        Refresh();
        return null;
    }

    /// <summary>The same in the database alone; a gateway that runs sees it within a second.</summary>
    public static async Task RevokeAsync(GatewayStore store, Device device, string who, TimeProvider time, CancellationToken cancellationToken)
    {
        await store.RevokeAsync(device, cancellationToken);
        await store.AuditAsync(who, "revoke", device.Id, $"device {device.DeviceId}", cancellationToken);
        await RequestRotationAsync(store, who, $"{device.Id} revoked", time, cancellationToken);
    }

    /// <summary>Wants the network key changed; a gateway that runs begins within a second.</summary>
    public static async Task RequestRotationAsync(
        GatewayStore store, string who, string reason, TimeProvider time, CancellationToken cancellationToken)
    {
        var request = new RotationRequest(time.GetUtcNow().ToUnixTimeMilliseconds(), who, reason);
        await store.SaveStateAsync(RotationRequest.Name, request, cancellationToken);
        await store.AuditAsync(who, "rotate-keys", "network key", reason, cancellationToken);
    }

    /// <summary>Wants the network key changed.</summary>
    public Task RotateAsync(string who, string reason, CancellationToken cancellationToken)
    {
        return RequestRotationAsync(store, who, reason, time, cancellationToken);
    }

    /// <summary>Opens or closes join windows.</summary>
    /// <param name="chosen">Null: all devices.</param>
    /// <param name="minutes">0 closes.</param>
    public async Task<JoinWindowResult> PermitJoinAsync(IReadOnlyList<Device>? chosen, int minutes, string who, CancellationToken cancellationToken)
    {
        JoinWindowResult result = await JoinWindow.SetAsync(
            store, registry.Devices, store.LoadMemberships(), chosen, minutes, who, time, cancellationToken);
        Refresh();
        live.AddEvent("info", settings.Gateway, "joining: " + result.Describe());
        return result;
    }

    /// <summary>The state as JSON, for MQTT.</summary>
    internal byte[] Describe()
    {
        KeysState state = _state;
        return Payloads.Object(json =>
        {
            json.WriteNumber("epoch", state.Epoch);
            json.WriteNumber("since", state.SinceMs);
            json.WriteBoolean("changing", state.IsChanging);
            json.WriteNumber("next_epoch", state.NextEpoch);
            json.WriteString("reason", state.Reason);
            json.WriteNumber("started", state.StartedMs);
            json.WriteNumber("ended", state.EndedMs);
            json.WriteNumber("devices", state.Devices);
            json.WriteStartArray("missing");
            foreach (string id in state.Missing)
            {
                json.WriteStringValue(id);
            }

            json.WriteEndArray();
        });
    }

    /// <summary>Tells of joins and refusals until cancelled.</summary>
    internal async Task HandleJoinsAsync(CancellationToken cancellationToken)
    {
        await foreach (JoinReport report in _mesh.Joins.ReadAllAsync(cancellationToken))
        {
            Device? device = registry.Find(report.Device);
            string id = device?.Id ?? $"address {report.Device}";
            string proxy = NameOf(report.Proxy);
            if (report.Verdict != JoinVerdict.Accepted)
            {
                Refuse(report, id, proxy);
                continue;
            }

            live.AddEvent("info", id, $"joined over {proxy}");
            store.TryAudit(proxy, "join", id, $"accepted, network key {report.Epoch}");
            if (device is not null && registry.MembershipOf(device) is { HasJoined: false })
            {
                await store.NoteJoinedAsync(device, cancellationToken);
                Refresh();
            }
        }
    }

    /// <summary>Begins and follows changes of the network key until cancelled.</summary>
    internal async Task RunAsync(CancellationToken cancellationToken)
    {
        if (_state.IsChanging)
        {
            live.AddEvent("info", settings.Gateway, $"goes on to change to network key {_state.NextEpoch}");
            Begin(_state.NextEpoch);
        }

        await SaveAsync(_state, cancellationToken);
        using var timer = new PeriodicTimer(_interval);
        while (await timer.WaitForNextTickAsync(cancellationToken))
        {
            if (_state.IsChanging)
            {
                await FollowAsync(cancellationToken);
            }
            else if (Wanted() is { } reason)
            {
                _state = _state with { NextEpoch = _state.Epoch + 1, Reason = reason, StartedMs = NowMs, EndedMs = 0 };
                Begin(_state.NextEpoch);
                await SaveAsync(_state, cancellationToken);
                live.AddEvent("info", settings.Gateway, _state.Describe());
            }
        }
    }

    private string? Wanted()
    {
        if (store.ReadState<RotationRequest>(RotationRequest.Name) is { } request && request.AtMs > _state.StartedMs)
        {
            return request.Reason;
        }

        int days = settings.Keys.RotateDays;
        return days > 0 && NowMs - _state.SinceMs >= days * DayMs ? $"each {days} days" : null;
    }

    private void Begin(uint epoch)
    {
        // What was asked for by another process, a revocation above all, must be known before anyone is told a key.
        Refresh();
        var key = new byte[KeySchedule.KeyLength];
        registry.TryGetNetworkKey(epoch, key);
        List<ushort> devices =
            [.. registry.Devices.Where(d => registry.MembershipOf(d) is { IsRevoked: false, HasJoined: true }).Select(d => d.Address)];
        _state = _state with { Devices = devices.Count, Missing = [.. devices.Select(NameOf)] };
        _mesh.StartRotation(epoch, key, devices, TimeSpan.FromMinutes(settings.Keys.PatienceMinutes));
    }

    private async Task FollowAsync(CancellationToken cancellationToken)
    {
        if (_mesh.Rotation is not { } progress || progress.Epoch != _state.NextEpoch)
        {
            return;
        }

        KeysState before = _state;
        IReadOnlyList<string> missing = [.. progress.Missing.Select(NameOf)];
        if (!progress.IsEnded)
        {
            if (!missing.SequenceEqual(before.Missing))
            {
                await SaveAsync(before with { Missing = missing }, cancellationToken);
            }

            return;
        }

        bool isChanged = progress.InUse >= progress.Epoch;
        long nowMs = NowMs;
        await SaveAsync(
            before with
            {
                Epoch = progress.InUse,
                SinceMs = isChanged ? nowMs : before.SinceMs,
                NextEpoch = 0,
                EndedMs = nowMs,
                Missing = missing,
            },
            cancellationToken);
        string text = isChanged ? _state.Describe() : $"network key {progress.Epoch} cannot follow {progress.InUse}; nothing was changed";
        live.AddEvent(isChanged && missing.Count == 0 ? "info" : "warning", settings.Gateway, text);
        store.TryAudit(settings.Gateway, "rotate-keys", $"network key {progress.Epoch}", text);
    }

    private async Task SaveAsync(KeysState state, CancellationToken cancellationToken)
    {
        _state = state;
        try
        {
            await store.SaveStateAsync(KeysState.Name, state, cancellationToken);
        }
        catch (StorageException)
        {
            // The store says so itself; what runs goes on, and the next change of the state is stored again.
        }
    }

    private void Refuse(JoinReport report, string id, string proxy)
    {
        if (!_refusals.MayTell(report.Verdict, report.Device, NowMs, out int suppressed))
        {
            return;
        }

        string reason = report.Verdict switch
        {
            JoinVerdict.NotEnrolled => "not enrolled",
            JoinVerdict.Revoked => "revoked",
            JoinVerdict.Closed => "joining is not permitted at present (iotmesh permit-join opens it)",
            JoinVerdict.CountersLost => "its counters began anew; remove it and enroll it as a new device",
            JoinVerdict.BadProof => "it does not have the device's secret",
            _ => report.Verdict.ToString(),
        };
        string others = suppressed == 0 ? "" : $" (and {suppressed} more of that cause before)";
        live.AddEvent("warning", id, $"refused to join over {proxy}: {reason}{others}");
        store.TryAudit(proxy, "join", id, $"refused: {reason}{others}");
    }

    private string NameOf(ushort address)
    {
        return address == settings.Address ? settings.Gateway : registry.Find(address)?.Id ?? $"address {address}";
    }
}
