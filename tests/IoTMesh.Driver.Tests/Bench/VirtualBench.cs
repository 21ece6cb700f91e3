using IoTMesh.Core;

namespace IoTMesh.Driver.Tests.Bench;

/// <summary>A clock that the test moves.</summary>
public sealed class ManualClock : IClock
{
    public long NowMs { get; set; } = 1_000;
}

/// <summary>All nodes in range of each other, nothing lost, frames there at once; one thread.</summary>
public sealed class TestAir
{
    private readonly List<TestLink> _links = [];

    /// <summary>Nodes whose radio is off.</summary>
    public HashSet<ushort> Silent { get; } = [];

    public TestLink Connect(ushort address)
    {
        _links.RemoveAll(link => link.Address == address);
        var link = new TestLink(this, address);
        _links.Add(link);
        return link;
    }

    internal void Carry(ushort source, ushort destination, byte[] buffer, int offset, int count)
    {
        if (Silent.Contains(source))
        {
            return;
        }

        foreach (TestLink link in _links)
        {
            if (link.Address != source && (destination == MeshAddress.All || destination == link.Address) && !Silent.Contains(link.Address))
            {
                link.Put(buffer, offset, count);
            }
        }
    }
}

/// <summary>One node's radio on a <see cref="TestAir"/>. Never waits and, once warm, never allocates.</summary>
public sealed class TestLink(TestAir air, ushort address) : ILink
{
    private const int Slots = 64;
    private readonly byte[][] _frames = [.. Enumerable.Range(0, Slots).Select(_ => new byte[250])];
    private readonly int[] _lengths = new int[Slots];
    private int _head;
    private int _count;

    public ushort Address { get; } = address;

    public int MaxFrameLength => 250;

    public int FramesSent { get; private set; }

    public bool IsClosed { get; private set; }

    /// <summary>Makes Send throw, as a defective link would.</summary>
    public bool IsBroken { get; set; }

    public bool Send(ushort linkDestination, byte[] buffer, int offset, int count)
    {
        if (IsBroken)
        {
            throw new InvalidOperationException("link broken on purpose");
        }

        FramesSent++;
        air.Carry(Address, linkDestination, buffer, offset, count);
        return true;
    }

    public int Receive(byte[] buffer, int timeoutMs, out sbyte rssiDbm)
    {
        rssiDbm = -55;
        if (_count == 0)
        {
            return 0;
        }

        int length = _lengths[_head];
        Array.Copy(_frames[_head], 0, buffer, 0, length);
        _head = (_head + 1) % Slots;
        _count--;
        return length;
    }

    public void Close()
    {
        IsClosed = true;
    }

    internal void Put(byte[] buffer, int offset, int count)
    {
        if (_count < Slots)
        {
            int slot = (_head + _count++) % Slots;
            Array.Copy(buffer, offset, _frames[slot], 0, count);
            _lengths[slot] = count;
        }
    }
}

/// <summary>Drivers on one virtual clock, each given a turn every virtual millisecond.</summary>
public sealed class VirtualBench
{
    private readonly List<MeshDriver> _drivers = [];

    public ManualClock Clock { get; } = new();

    public TestAir Air { get; } = new();

    public TestSite Site { get; } = new();

    public void Add(MeshDriver driver)
    {
        _drivers.Add(driver);
        driver.Begin();
    }

    /// <summary>A gateway at that address, started.</summary>
    public TestGateway AddGateway(ushort address)
    {
        var gateway = new TestGateway();
        Add(new MeshDriver(Site.CreateNode(address, true), Air.Connect(address), Clock, new MemoryStorage(), gateway, 16));
        return gateway;
    }

    public void Remove(MeshDriver driver) => _drivers.Remove(driver);

    public void Run(int ms)
    {
        for (int i = 0; i < ms; i++)
        {
            Step();
        }
    }

    /// <summary>Runs until the condition holds; false where it does not within that virtual time.</summary>
    public bool RunUntil(Func<bool> condition, int maxMs)
    {
        for (int i = 0; i < maxMs && !condition(); i++)
        {
            Step();
        }

        return condition();
    }

    private void Step()
    {
        Clock.NowMs++;
        foreach (MeshDriver driver in _drivers)
        {
            driver.RunOnce(0);
        }
    }
}
