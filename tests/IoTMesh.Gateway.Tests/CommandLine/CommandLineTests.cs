using System.Net;
using System.Net.Sockets;
using IoTMesh.Gateway.Tests.Bridge;

namespace IoTMesh.Gateway.Tests.CommandLine;

/// <summary>The program from outside: exit codes, one clear line for each mistake, never a stack trace.</summary>
public sealed class CommandLineTests : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("iotmesh-cli-");

    [Theory]
    [InlineData(2, "iotmesh: Unrecognized command or argument '--bogus'. See: iotmesh demo --help", "demo", "--bogus")]
    [InlineData(2, "iotmesh: Unrecognized command or argument 'fly'. See: iotmesh --help", "fly")]
    [InlineData(2, "iotmesh: Cannot parse argument 'x' for option '--nodes': a number is needed. See: iotmesh demo --help", "demo", "--nodes", "x")]
    [InlineData(2, "iotmesh: --nodes: 1 to 200, is 0", "demo", "--nodes", "0")]
    [InlineData(2, "iotmesh: --topology: no file moebius", "demo", "--topology", "moebius")]
    [InlineData(2, "iotmesh: give --settings FILE, or --address N with --site DIR", "node")]
    [InlineData(2, "iotmesh: frame: an even number of hex digits is needed", "decode", "123")]
    [InlineData(2, "iotmesh: \"0\" is no address", "provision", "0")]
    [InlineData(2, "iotmesh: name a scenario", "sim")]
    public async Task A_mistake_is_one_clear_line(int expectedCode, string expectedError, params string[] args)
    {
        (int code, string output, string error) = await Iotmesh.RunAsync(args);
        Assert.StartsWith(expectedError, error);
        Assert.Equal((expectedCode, "", 1), (code, output, error.Count(c => c == '\n')));
    }

    [Fact]
    public async Task Help_shows_every_command_with_examples()
    {
        (int code, string output, _) = await Iotmesh.RunAsync("--help");
        Assert.Equal(0, code);
        string[] words = ["demo", "run", "provision", "node", "air", "sim", "decode", "hash-password", "Examples:"];
        Assert.All(words, word => Assert.Contains(word, output));
    }

    [Fact]
    public async Task Broken_settings_name_file_line_and_key()
    {
        string file = Path.Combine(_folder.FullName, "s.json");
        await File.WriteAllTextAsync(file, "{\n  \"site\": \"a\",\n  \"mqtt\": { \"lisen\": \"127.0.0.1:0\" }\n}\n");
        (int code, _, string error) = await Iotmesh.RunAsync("run", "--settings", file);
        Assert.Equal((2, $"iotmesh: {file}:3: mqtt.lisen: no such setting; did you mean \"listen\"?\n"), (code, error));
    }

    [Fact]
    public async Task A_taken_port_is_named_with_the_way_out()
    {
        using var taken = new TcpListener(IPAddress.Loopback, 0);
        taken.Start();
        string port = ((IPEndPoint)taken.LocalEndpoint).Port.ToString();
        (int code, _, string error) = await Iotmesh.RunAsync("demo", "--nodes", "1", "--http-port", "0", "--mqtt-port", port);
        string mqtt = $"iotmesh: MQTT port {port} on 127.0.0.1 is taken by another program; choose another with --mqtt-port (0 for any free one)\n";
        Assert.Equal((3, mqtt), (code, error));
        (code, _, error) = await Iotmesh.RunAsync("demo", "--nodes", "1", "--http-port", port, "--mqtt-port", "0");
        string http = $"iotmesh: HTTP port {port} on 127.0.0.1 is taken by another program; choose another with --http-port (0 for any free one)\n";
        Assert.Equal((3, http), (code, error));
    }

    [Fact]
    public async Task A_broker_that_cannot_be_reached_does_not_stop_the_gateway()
    {
        string file = Path.Combine(_folder.FullName, "s.json");
        int port = Mosquitto.FreePort();
        await File.WriteAllTextAsync(
            file,
            $"{{ \"mqtt\": {{ \"broker\": \"127.0.0.1:{port}\" }}, \"http\": {{ \"listen\": \"127.0.0.1:0\" }}, \"air\": \"127.0.0.1:{port}\" }}");
        using Iotmesh gateway = Iotmesh.Start("run", "--settings", file, "--data", Path.Combine(_folder.FullName, "data"));
        await Eventually.HoldsAsync(() => gateway.Output.Contains("warning mqtt:", StringComparison.Ordinal), "it says that the broker is away");
        Assert.Contains($"127.0.0.1:{port}", gateway.Output);
        string pages = gateway.Output.Split('\n').Single(l => l.StartsWith("pages: ", StringComparison.Ordinal))["pages: ".Length..];
        using var http = new HttpClient();
        Assert.Contains("degraded", await http.GetStringAsync(pages + "healthz"));
        Assert.False(gateway.HasExited);
        Assert.Equal("", gateway.Error);
    }

    [Fact]
    public async Task Provisioned_settings_are_private_and_the_same_each_time()
    {
        string data = Path.Combine(_folder.FullName, "data");
        string file = Path.Combine(_folder.FullName, "node.conf");
        (int code, string first, _) = await Iotmesh.RunAsync("provision", "7", "--name", "Roof north", "--out", file, "--data", data);
        Assert.Equal(0, code);
        Assert.StartsWith("roof-north (address 7, device ", first);
        string keys = await File.ReadAllTextAsync(file);
        Assert.Contains("address = 7", keys);
        if (!OperatingSystem.IsWindows())
        {
            Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(file));
        }

        await Iotmesh.RunAsync("provision", "7", "--out", file, "--data", data);
        Assert.Equal(keys, await File.ReadAllTextAsync(file));
    }

    [Fact]
    public async Task The_demo_shows_all_nodes_and_no_reading_twice()
    {
        (int code, string output, string error) = await Iotmesh.RunAsync(
            "demo", "--nodes", "12", "--http-port", "0", "--mqtt-port", "0", "--kill-every", "4", "--duration", "14");
        Assert.Equal((0, ""), (code, error));
        Assert.Contains("12 of 12 nodes reporting", output);
        Assert.Contains("mosquitto_sub", output);
        Assert.Matches("summary: 12 of 12 nodes reported; [0-9]+ readings on MQTT, 0 of them twice", output);
        Assert.Contains("3 kills", output);
    }

    public void Dispose()
    {
        _folder.Delete(recursive: true);
    }
}
