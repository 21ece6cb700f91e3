using System.Collections.Generic;

namespace IoTMesh.Core;

/// <summary>
/// A gateway's plan for a change of the network key: every device is told the next key until it says that it has stored it, and only
/// then, or when patience ends, the change itself happens. Sans-IO, not thread-safe. protocol.md 8.8.
/// </summary>
public sealed class KeyRotation
{
    /// <summary>A device that does not answer is told again after this long, ms.</summary>
    public const int RepeatMs = 5_000;

    /// <summary>Call <see cref="Step"/> this often, ms.</summary>
    public const int StepMs = 250;

    /// <summary>Devices told in one step: a large site must not be flooded with keys.</summary>
    public const int PerStep = 4;

    private readonly SortedDictionary<ushort, long> _dueMs = [];
    private readonly List<ushort> _now = [];
    private readonly HashSet<ushort> _devices = [];
    private readonly long _untilMs;

    /// <param name="devices">Addresses of the devices that are to have the key.</param>
    /// <param name="patienceMs">Longest wait for those that do not answer; they join again when they come back.</param>
    public KeyRotation(uint epoch, IEnumerable<ushort> devices, long nowMs, long patienceMs)
    {
        Epoch = epoch;
        foreach (ushort device in devices)
        {
            _dueMs[device] = nowMs;
            _devices.Add(device);
        }

        _untilMs = nowMs + patienceMs;
    }

    public uint Epoch { get; }

    /// <summary>Devices that are to have the key.</summary>
    public int DeviceCount => _devices.Count;

    /// <summary>Devices that have not said that they have it, by address.</summary>
    public IReadOnlyCollection<ushort> Missing => _dueMs.Keys;

    /// <summary>A device joined meanwhile: it was given the present key, and needs the next one too, again where it had it.</summary>
    public void HandleJoined(ushort device, long nowMs)
    {
        _devices.Add(device);
        _dueMs[device] = nowMs;
    }

    /// <summary>A device has stored the key of that epoch, or has lost its membership.</summary>
    public void HandleTaken(ushort device, uint epoch)
    {
        if (epoch == Epoch)
        {
            _dueMs.Remove(device);
        }
    }

    /// <summary>Tells the next devices; true once it is time to switch.</summary>
    /// <param name="tell"><see cref="MeshNode.SendNextKey"/>.</param>
    public bool Step(long nowMs, System.Func<ushort, SendResult> tell)
    {
        if (_dueMs.Count == 0 || nowMs >= _untilMs)
        {
            return true;
        }

        _now.Clear();
        foreach (KeyValuePair<ushort, long> entry in _dueMs)
        {
            if (entry.Value <= nowMs && _now.Count < PerStep)
            {
                _now.Add(entry.Key);
            }
        }

        foreach (ushort device in _now)
        {
            // NotReady has asked the device for its boot number, which takes no longer than a few steps.
            _dueMs[device] = nowMs + (tell(device) == SendResult.Accepted ? RepeatMs : 4 * StepMs);
        }

        return false;
    }
}
