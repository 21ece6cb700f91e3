using IoTMesh.Core;

namespace IoTMesh.Simulation;

/// <content>The life of keys: nodes that join, a network key that changes, a membership that ends.</content>
public sealed partial class VirtualMesh
{
    private KeyRotation? _rotation;

    private MeshKeys KeysOf(VirtualNode node) =>
        _site.KeysOf(node.Id, node.IsServing, _options.Joining?.Contains(node.Id) ?? true, node.KeysRecord);

    /// <summary>Begins to change the network key at a gateway, as its service does; all devices that run are told before it changes.</summary>
    /// <param name="patienceMs">Longest wait for those that do not answer.</param>
    public void Rotate(int gateway, int patienceMs)
    {
        VirtualNode entry = _nodes[gateway - 1];
        if (entry.Core is null)
        {
            return;
        }

        uint epoch = entry.Core.Epoch + 1;
        byte[] key = new byte[KeySchedule.KeyLength];
        _site.TryGetNetworkKey(epoch, key);
        entry.Core.SetNextKey(LocalMs(entry), epoch, key);
        IEnumerable<int> devices = Enumerable.Range(1, _nodes.Length).Where(id => !Topology.IsGateway(id) && !_site.IsRevoked(id));
        _rotation = new KeyRotation(epoch, devices.Select(Topology.AddressOf), LocalMs(entry), patienceMs);
        Touch(entry);
        _events.Add(NowUs, EventKind.Rotation, gateway);
    }

    private void StepRotation(int gateway)
    {
        VirtualNode entry = _nodes[gateway - 1];
        if (_rotation is null || entry.Core is not { } core)
        {
            return;
        }

        if (_rotation.Step(LocalMs(entry), device => core.SendNextKey(LocalMs(entry), device)))
        {
            core.SwitchEpoch(LocalMs(entry));
            _rotation = null;
        }
        else
        {
            _events.Add(NowUs + (KeyRotation.StepMs * 1000), EventKind.Rotation, gateway);
        }

        Touch(entry);
    }

    /// <summary>Takes a device's membership away: no gateway gives it a key any more.</summary>
    public void Revoke(int device)
    {
        _site.Revoke(device);
        Medium.Outlaw(device);
    }
}
