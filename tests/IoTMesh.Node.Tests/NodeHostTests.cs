using System.Collections.Concurrent;
using IoTMesh.Core;
using IoTMesh.Driver;
using IoTMesh.Driver.Tests.Bench;
using IoTMesh.Simulation;

namespace IoTMesh.Node.Tests;

/// <summary>The node process: settings file, counters on disk, UDP to a running air, a gateway on the same air; real time.</summary>
public sealed class NodeHostTests : IDisposable
{
    private const int PatienceMs = 60_000;
    private readonly string _folder = Directory.CreateTempSubdirectory("iotmesh-node-").FullName;
    private readonly TestSite _site = new();
    private readonly StringWriter _error = new();

    private string SettingsPath => Path.Combine(_folder, "node.conf");

    public void Dispose()
    {
        Directory.Delete(_folder, true);
    }

    [Fact]
    public void Node_process_joins_reports_and_goes_on_with_the_next_boot_after_a_restart()
    {
        using RunningAir air = new(Topology.Create(TopologyKind.Line, 2));
        WriteSettings(2, air.Port);
        var gateway = new TestGateway();
        var link = new UdpAirLink(1, "127.0.0.1", air.Port, new SystemClock());
        var driver = new MeshDriver(_site.CreateNode(1, true), link, new SystemClock(), new MemoryStorage(), gateway, 16);
        driver.Start();
        try
        {
            for (int boot = 1; boot <= 2; boot++)
            {
                var options = new NodeHostOptions { SettingsPath = SettingsPath, Error = _error, IsVerbose = true, PeriodSeconds = 1 };
                using RunningNode node = new(options);
                Assert.True(WaitFor(() => gateway.Readings.Any(reading => reading.Boot == boot)), node.Text);
                Assert.Equal(0, node.Stop());
                Assert.Contains($"started: node 2, 'Küche 2', boot {boot}, a reading every 1 s", node.Text, StringComparison.Ordinal);
                Assert.Contains($"on the air at 127.0.0.1:{air.Port}", node.Text, StringComparison.Ordinal);
                Assert.Contains("joined gateway 1 via 1", node.Text, StringComparison.Ordinal);
                Assert.Contains("reading 1 sent", node.Text, StringComparison.Ordinal);
                Assert.DoesNotContain("defect", node.Text, StringComparison.Ordinal);
            }
        }
        finally
        {
            Assert.True(driver.Stop(20_000));
        }

        Assert.Equal("", _error.ToString());
        Assert.True(File.Exists(Path.Combine(_folder, "node-2", "mesh1a.bin")));
    }

    [Fact]
    public void Node_without_an_air_says_so_and_keeps_trying()
    {
        WriteSettings(2, 9);
        using RunningNode node = new(new NodeHostOptions { SettingsPath = SettingsPath, Error = _error });
        Assert.True(WaitFor(() => node.Text.Contains("no air at 127.0.0.1:9; start one with 'iotmesh air'", StringComparison.Ordinal)));
        Assert.Equal(0, node.Stop());
    }

    [Fact]
    public void Node_that_the_air_does_not_know_says_what_to_do()
    {
        using RunningAir air = new(2);
        WriteSettings(40, air.Port);
        using RunningNode node = new(new NodeHostOptions { SettingsPath = SettingsPath, Error = _error });
        Assert.True(WaitFor(() => node.Text.Contains("has no node of this address; give it a larger topology", StringComparison.Ordinal)));
    }

    [Fact]
    public void Broken_settings_are_one_line_and_exit_code_1()
    {
        File.WriteAllText(SettingsPath, "address = x\n");
        Assert.Equal(1, NodeHost.Run(new NodeHostOptions { SettingsPath = SettingsPath, Error = _error }, CancellationToken.None));
        Assert.Equal($"{SettingsPath} line 1: address is 'x'; write a number from 1 to 65519", _error.ToString().TrimEnd());
    }

    [Fact]
    public void No_settings_are_one_line_and_exit_code_1()
    {
        Assert.Equal(1, NodeHost.Run(new NodeHostOptions { Error = _error }, CancellationToken.None));
        Assert.Equal("no settings; name a settings file, which 'iotmesh enroll' makes", _error.ToString().TrimEnd());
    }

    [Fact]
    public void Second_process_of_the_same_node_is_refused()
    {
        WriteSettings(2, 9);
        using RunningNode node = new(new NodeHostOptions { SettingsPath = SettingsPath, Error = _error });
        Assert.True(WaitFor(() => node.Text.Contains("started", StringComparison.Ordinal)));
        Assert.Equal(1, NodeHost.Run(new NodeHostOptions { SettingsPath = SettingsPath, Error = _error }, CancellationToken.None));
        Assert.Contains("another process runs this node", _error.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public void Damaged_counters_stop_the_node_before_it_sends_anything()
    {
        WriteSettings(2, 9);
        string folder = Directory.CreateDirectory(Path.Combine(_folder, "node-2")).FullName;
        File.WriteAllText(Path.Combine(folder, "mesh1a.bin"), "x");
        File.WriteAllText(Path.Combine(folder, "mesh1b.bin"), "y");
        var options = new NodeHostOptions { SettingsPath = SettingsPath, Error = _error, Output = TextWriter.Null };
        Assert.Equal(1, NodeHost.Run(options, CancellationToken.None));
        Assert.Contains("counters are damaged; enroll it again", _error.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public void Machine_tells_its_memory_and_load()
    {
        var board = new HostBoard();
        Assert.InRange(board.FreeMemoryBytes, 1_000_000, long.MaxValue);
        byte[] buffer = new byte[64];
        var writer = new ReadingWriter();
        var reader = new ReadingReader();
        foreach (string name in HostBoard.DefaultSensors.Except(["weather", "uptime", "memory"]))
        {
            writer.Reset(buffer, 0, buffer.Length);
            board.CreateSensor(name)!.Sample(0, writer);
            reader.Reset(buffer, 0, writer.Length);
            Assert.True(reader.Next());
            Assert.InRange(reader.Value, 0, 1_000);
        }

        Assert.Null(board.CreateSensor("geiger"));
    }

    private static bool WaitFor(Func<bool> condition)
    {
        return SpinWait.SpinUntil(condition, PatienceMs);
    }

    private void WriteSettings(ushort address, int airPort)
    {
        NodeSettings settings = TestSettings.Create(_site, address);
        settings.AirPort = airPort;
        settings.Sensors = HostBoard.DefaultSensors;
        File.WriteAllText(SettingsPath, settings.Write());
    }

    /// <summary>NodeHost.Run on a thread, as the command line runs it.</summary>
    private sealed class RunningNode : IDisposable
    {
        private readonly CancellationTokenSource _stop = new();
        private readonly Lines _output = new();
        private readonly Task<int> _run;

        internal RunningNode(NodeHostOptions options)
        {
            NodeHostOptions own = options with { Output = _output };
            _run = Task.Factory.StartNew(() => NodeHost.Run(own, _stop.Token), TaskCreationOptions.LongRunning);
        }

        internal string Text => _output.All;

        internal int Stop()
        {
            _stop.Cancel();
            return _run.GetAwaiter().GetResult();
        }

        public void Dispose()
        {
            Stop();
            _stop.Dispose();
        }
    }

    private sealed class Lines : StringWriter
    {
        private readonly ConcurrentQueue<string> _lines = new();

        internal string All => string.Join('\n', _lines);

        public override void WriteLine(string? value) => _lines.Enqueue(value ?? "");
    }
}
