using IoTMesh.Driver.Tests.Bench;

namespace IoTMesh.Node.Tests;

internal static class TestSettings
{
    internal static NodeSettings Create(TestSite site, ushort address)
    {
        return new NodeSettings
        {
            Address = address,
            DeviceId = 0x0123456789ABCD00UL + address,
            Name = "Küche " + address,
            NetworkKey = site.NetworkKey,
            DeviceKey = site.DeviceKey(address),
            PairwiseShare = site.Share(address),
            PeriodSeconds = 2,
        };
    }
}

/// <summary>Keeps the lines.</summary>
internal sealed class ListLog : INodeLog
{
    public List<string> Lines { get; } = [];

    public bool IsVerbose { get; init; }

    public void Write(string line)
    {
        Lines.Add(line);
    }
}

/// <summary>A board whose LED and restarts can be looked at.</summary>
internal sealed class TestBoard : IBoard
{
    public List<bool> Led { get; } = [];

    public int Reboots { get; private set; }

    public string Model => "test board";

    public long FreeMemoryBytes => 61_400;

    public bool CanReboot { get; set; } = true;

    public void SetLed(bool on) => Led.Add(on);

    public void Reboot() => Reboots++;

    public ISensor CreateSensor(string name) => null!;
}
