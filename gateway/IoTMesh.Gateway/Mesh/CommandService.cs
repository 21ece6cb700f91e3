using System.Collections.Concurrent;
using System.Diagnostics;
using IoTMesh.Core;
using IoTMesh.Gateway.Storage;

namespace IoTMesh.Gateway.Mesh;

/// <summary>A node's answer to a request, or why there is none.</summary>
/// <param name="Value">bool, long, string or null.</param>
/// <param name="Error">A sentence that names the node; null on success.</param>
/// <param name="IsAnswered">The node itself answered, with a value or a refusal.</param>
public sealed record CommandOutcome(string Key, object? Value, string? Error, double Milliseconds, bool IsAnswered = false);

/// <summary>
/// Requests to nodes: a confirmed message on port 1, answered on port 2 with the same number. Any thread; bounded in all and for
/// each node, so that one that is away does not hold up the rest.
/// </summary>
public sealed class CommandService
{
    private const int PendingMax = 128;
    private const int PendingPerNodeMax = 8;
    private static readonly double[] _secondsBounds = [0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];

    private readonly ConcurrentDictionary<ushort, Pending> _pending = new();
    private readonly MeshService _mesh;
    private readonly int _timeoutMs;
    private int _lastId = Random.Shared.Next(ushort.MaxValue);

    public CommandService(MeshService mesh, int timeoutMs)
    {
        _mesh = mesh;
        _timeoutMs = timeoutMs;
        mesh.SendEnded += OnSendEnded;
    }

    private sealed record Pending(Device Device, TaskCompletionSource<CommandMessage?> Answer);

    /// <summary>How long answers took, seconds.</summary>
    public Histogram Seconds { get; } = new(_secondsBounds);

    /// <summary>Requests that ended without an answer.</summary>
    public long Failures => Interlocked.Read(ref _failures);

    private long _failures;

    /// <summary>Asks a node and waits for its answer. Never throws for what the node or the mesh did.</summary>
    /// <param name="value">bool, long, string or null.</param>
    public async Task<CommandOutcome> SendAsync(Device device, CommandOp op, string key, object? value, CancellationToken cancellationToken = default)
    {
        long startedAt = Stopwatch.GetTimestamp();
        var pending = new Pending(device, new TaskCompletionSource<CommandMessage?>(TaskCreationOptions.RunContinuationsAsynchronously));
        if (!TryRegister(pending, out ushort id))
        {
            return Fail(key, $"{device.Id} has {PendingPerNodeMax} requests waiting (or the gateway {PendingMax}); try again later", startedAt);
        }

        try
        {
            var payload = new byte[CommandCodec.MaxLength];
            int length = CommandCodec.EncodeRequest(CreateRequest(id, op, key, value), payload, 0, payload.Length);
            if (length == 0)
            {
                string limits = $"a key has at most {CommandCodec.MaxKeyLength} bytes, a text {CommandCodec.MaxTextLength}";
                return Fail(key, $"the request to {device.Id} does not fit: {limits}", startedAt);
            }

            if (!_mesh.TrySend(device.Address, MeshPort.Command, payload, length, id))
            {
                return Fail(key, "the mesh has too many messages waiting; try again later", startedAt);
            }

            CommandMessage? answer = await pending.Answer.Task.WaitAsync(TimeSpan.FromMilliseconds(_timeoutMs), cancellationToken);
            return answer is null
                ? Fail(key, $"{device.Id} cannot be reached", startedAt)
                : CreateOutcome(device, key, answer, startedAt);
        }
        catch (TimeoutException)
        {
            return Fail(key, $"{device.Id} did not answer within {_timeoutMs / 1000.0:0.#} s", startedAt);
        }
        finally
        {
            _pending.TryRemove(id, out _);
        }
    }

    /// <summary>Takes an answer from the mesh; what nobody waits for is ignored.</summary>
    internal void HandleResponse(Delivery delivery)
    {
        var message = new CommandMessage();
        if (CommandCodec.DecodeResponse(delivery.Payload, 0, delivery.Payload.Length, message) == ParseError.None
            && _pending.TryGetValue(message.Id, out Pending? pending) && pending.Device.Address == delivery.Origin)
        {
            pending.Answer.TrySetResult(message);
        }
    }

    private void OnSendEnded(int tag, bool success)
    {
        if (!success && tag <= ushort.MaxValue && _pending.TryGetValue((ushort)tag, out Pending? pending))
        {
            pending.Answer.TrySetResult(null);
        }
    }

    private bool TryRegister(Pending pending, out ushort id)
    {
        id = 0;
        if (_pending.Count >= PendingMax || _pending.Values.Count(p => p.Device.Address == pending.Device.Address) >= PendingPerNodeMax)
        {
            return false;
        }

        do
        {
            id = (ushort)Interlocked.Increment(ref _lastId);
        }
        while (!_pending.TryAdd(id, pending));
        return true;
    }

    private static CommandMessage CreateRequest(ushort id, CommandOp op, string key, object? value)
    {
        var message = new CommandMessage { Id = id, Op = op, Key = key };
        switch (value)
        {
            case bool flag:
                message.SetBool(flag);
                break;
            case long integer:
                message.SetInteger(integer);
                break;
            case string text:
                message.SetText(text);
                break;
            default:
                message.SetNone();
                break;
        }

        return message;
    }

    private CommandOutcome CreateOutcome(Device device, string key, CommandMessage answer, long startedAt)
    {
        TimeSpan took = Stopwatch.GetElapsedTime(startedAt);
        Seconds.Observe(took.TotalSeconds);
        object? value = answer.ValueType switch
        {
            CommandValueType.Bool => answer.Bool,
            CommandValueType.Integer => answer.Integer,
            CommandValueType.Text => answer.Text,
            _ => null,
        };
        string? error = answer.Status switch
        {
            CommandStatus.Ok => null,
            CommandStatus.UnknownKey => $"{device.Id} knows no \"{key}\"; it has: {string.Join(", ", device.Keys.Select(k => k.Key))}",
            CommandStatus.BadValue => $"{device.Id} refuses that value for \"{key}\"",
            CommandStatus.ReadOnly => $"\"{key}\" of {device.Id} can only be read",
            CommandStatus.Unsupported => $"{device.Id} does not know that operation",
            _ => $"{device.Id} could not do it",
        };
        return new CommandOutcome(key, value, error, took.TotalMilliseconds, IsAnswered: true);
    }

    private CommandOutcome Fail(string key, string error, long startedAt)
    {
        Interlocked.Increment(ref _failures);
        return new CommandOutcome(key, null, error, Stopwatch.GetElapsedTime(startedAt).TotalMilliseconds);
    }
}
