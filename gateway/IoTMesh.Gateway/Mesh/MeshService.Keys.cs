using System.Collections.Concurrent;
using System.Threading.Channels;
using IoTMesh.Core;

namespace IoTMesh.Gateway.Mesh;

/// <summary>A device joined, or was refused.</summary>
/// <param name="Proxy">The member over which it asked; the gateway itself where it heard it.</param>
public sealed record JoinReport(ushort Device, ushort Proxy, JoinVerdict Verdict, uint Epoch);

/// <summary>How far a change of the network key is.</summary>
/// <param name="IsEnded">The change has happened, or cannot.</param>
/// <param name="InUse">The epoch in use.</param>
/// <param name="Missing">Devices that have not said that they have the key.</param>
public sealed record RotationProgress(uint Epoch, bool IsEnded, uint InUse, int DeviceCount, IReadOnlyList<ushort> Missing);

/// <content>Joins, dropped keys and the change of the network key, on the mesh thread.</content>
public sealed partial class MeshService
{
    private const int JoinsMax = 1024;

    private readonly Channel<JoinReport> _joins = Channel.CreateBounded<JoinReport>(new BoundedChannelOptions(JoinsMax) { SingleReader = true });
    private readonly ConcurrentQueue<Action<long>> _keyWork = new();
    private KeyRotation? _rotation;
    private byte[] _rotationKey = [];
    private long _nextRotationMs = long.MaxValue;
    private volatile RotationProgress? _rotationProgress;

    /// <summary>Joins and refusals in their order. What comes while it is full is lost: a flood must not grow the gateway.</summary>
    public ChannelReader<JoinReport> Joins => _joins.Reader;

    /// <summary>The last change of the network key that was begun, or null.</summary>
    public RotationProgress? Rotation => _rotationProgress;

    /// <summary>Begins to tell devices the network key of a later epoch, and changes to it. A change that runs is given up for it.</summary>
    public void StartRotation(uint epoch, byte[] key, IReadOnlyList<ushort> devices, TimeSpan patience)
    {
        _rotationProgress = new RotationProgress(epoch, false, 0, devices.Count, devices);
        PostKeyWork(nowMs =>
        {
            _rotation = new KeyRotation(epoch, devices, nowMs, (long)patience.TotalMilliseconds);
            _rotationKey = key;
            _nextRotationMs = nowMs;
        });
    }

    /// <summary>A device was revoked, removed or replaced: its keys and counters are dropped, and no change waits for it.</summary>
    public void ForgetPeer(ushort address)
    {
        PostKeyWork(_ =>
        {
            _driver.Node.ForgetPeer(address);
            _rotation?.HandleTaken(address, _rotation.Epoch);
        });
    }

    private void PostKeyWork(Action<long> work)
    {
        _keyWork.Enqueue(work);
        _driver.Wake();
    }

    private void HandleMembership(long nowMs, MeshOutput output)
    {
        if (output.Kind == OutputKind.Joined)
        {
            if (output.Success && output.Epoch < _rotation?.Epoch)
            {
                _rotation.HandleJoined(output.Destination, nowMs);
            }

            _joins.Writer.TryWrite(new JoinReport(output.Destination, output.Origin, output.Verdict, output.Epoch));
        }
        else
        {
            _rotation?.HandleTaken(output.Destination, output.Epoch);
        }
    }

    private void StepKeys(long nowMs)
    {
        while (_keyWork.TryDequeue(out Action<long>? work))
        {
            work(nowMs);
        }

        if (nowMs < _nextRotationMs)
        {
            return;
        }

        _nextRotationMs = nowMs + KeyRotation.StepMs;
        if (_rotation is { } rotation)
        {
            bool isEnded = StepRotation(nowMs, rotation);
            _rotationProgress = new RotationProgress(rotation.Epoch, isEnded, _driver.Node.Epoch, rotation.DeviceCount, [.. rotation.Missing]);
            if (isEnded)
            {
                _rotation = null;
                _nextRotationMs = long.MaxValue;
            }
        }
    }

    private bool StepRotation(long nowMs, KeyRotation rotation)
    {
        MeshNode node = _driver.Node;
        if (node.Epoch >= rotation.Epoch)
        {
            // Another gateway was first.
            return true;
        }

        // Two bits of the epoch are on air: the one before must be gone before the next but one comes.
        if (node.IsOverlapping)
        {
            return false;
        }

        if (!node.SetNextKey(nowMs, rotation.Epoch, _rotationKey))
        {
            return true;
        }

        return rotation.Step(nowMs, device => node.SendNextKey(nowMs, device)) && node.SwitchEpoch(nowMs);
    }
}
