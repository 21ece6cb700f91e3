using System.Buffers.Binary;

namespace IoTMesh.Gateway.Tests.CommandLine;

/// <summary>Captures, replays and the fault search from outside.</summary>
public sealed class SimCommandTests : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("iotmesh-sim-");

    [Theory]
    [InlineData("iotmesh: Required argument missing for option: '--pcap'. See: iotmesh sim --help", "sim", "line-10", "--pcap")]
    [InlineData("iotmesh: --pcap: cannot write /no/such/folder/a.pcapng: ", "sim", "line-10", "--pcap", "/no/such/folder/a.pcapng")]
    [InlineData("iotmesh: --replay: cannot write /no/such/folder/a.html: ", "sim", "line-10", "--replay", "/no/such/folder/a.html")]
    [InlineData("iotmesh: --pcap shows one run: leave --seeds out, choose the run with --seed", "sim", "line-10", "--seeds", "3", "--pcap", "a")]
    [InlineData("iotmesh: --replay: a is the file of --pcap, too; name another", "sim", "line-10", "--pcap", "./a", "--replay", "a")]
    [InlineData("iotmesh: --pcap: ./b.json is the file of the scenario, too; name another", "sim", "b.json", "--pcap", "./b.json")]
    [InlineData("iotmesh: --replay shows one run: leave --seeds out, choose the run with --seed", "sim", "line-10", "--seeds", "3", "--replay", "a")]
    [InlineData("iotmesh: --pcap: cannot write /no/such/folder/a.pcapng: ", "air", "--port", "0", "--pcap", "/no/such/folder/a.pcapng")]
    [InlineData("iotmesh: --nodes: 3 to 200, is 2", "sim", "fuzz", "--nodes", "2")]
    [InlineData("iotmesh: --minutes: above 0", "sim", "fuzz", "--minutes", "0")]
    [InlineData("iotmesh: --out: cannot make the folder /dev/null/found: ", "sim", "fuzz", "--seeds", "1", "--out", "/dev/null/found")]
    [InlineData("iotmesh: Unrecognized command or argument '--sede'. See: iotmesh sim fuzz --help", "sim", "fuzz", "--sede", "1")]
    [InlineData("iotmesh: compare: nodes: 65 is not between 5 and 64", "sim", "compare", "--nodes", "65", "--chart", "/dev/null")]
    [InlineData("iotmesh: --chart: cannot write /no/such/folder/a.svg: ", "sim", "compare", "--chart", "/no/such/folder/a.svg")]
    public async Task A_mistake_is_one_clear_line(string expected, params string[] args)
    {
        (int code, string output, string error) = await Iotmesh.RunAsync(args);
        Assert.StartsWith(expected, error);
        Assert.Equal((2, "", 1), (code, output, error.Count(c => c == '\n')));
    }

    [Fact]
    public async Task One_run_gives_result_capture_and_replay()
    {
        string pcap = Path.Combine(_folder.FullName, "a.pcapng");
        string html = Path.Combine(_folder.FullName, "a.html");
        (int code, string output, string error) = await Iotmesh.RunAsync("sim", "line-10", "--seed", "4", "--json", "--pcap", pcap, "--replay", html);
        Assert.Equal((0, ""), (code, error));
        string alone = (await Iotmesh.RunAsync("sim", "line-10", "--seed", "4", "--json")).Output;
        Assert.Equal(alone.Split('\n').Single(IsTraceHash), output.Split('\n').Single(IsTraceHash));
        Assert.Equal(0x0A0D0D0Au, BinaryPrimitives.ReadUInt32LittleEndian(await File.ReadAllBytesAsync(pcap)));
        Assert.StartsWith("<!DOCTYPE html>", await File.ReadAllTextAsync(html));
        static bool IsTraceHash(string line) => line.Contains("traceHash", StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_comparison_prints_all_layouts_and_draws_them()
    {
        string svg = Path.Combine(_folder.FullName, "a.svg");
        (int code, string output, string error) = await Iotmesh.RunAsync("sim", "compare", "--nodes", "6", "--seeds", "1", "--chart", svg);
        Assert.Equal((0, ""), (code, error));
        Assert.Matches("grid +random +ring +star +client-server\n", output);
        Assert.StartsWith("<svg ", await File.ReadAllTextAsync(svg));
    }

    [Fact]
    public async Task The_search_ends_after_its_seeds_and_says_where_to_go_on()
    {
        string found = Path.Combine(_folder.FullName, "found");
        (int code, string output, string error) = await Iotmesh.RunAsync(
            "sim", "fuzz", "--from", "7", "--seeds", "4", "--nodes", "6", "--jobs", "2", "--out", found);
        Assert.Equal((0, ""), (code, error));
        Assert.Contains("4 seeds", output);
        Assert.Contains("next is --from 11", output);
        Assert.Empty(Directory.GetFiles(found));
    }

    [Fact]
    public async Task The_demo_leaves_a_capture()
    {
        string pcap = Path.Combine(_folder.FullName, "demo.pcapng");
        (int code, string output, string error) = await Iotmesh.RunAsync(
            "demo", "--nodes", "3", "--http-port", "0", "--mqtt-port", "0", "--kill-every", "0", "--duration", "4", "--pcap", pcap);
        Assert.Equal((0, ""), (code, error));
        Assert.Matches(@"capture: [1-9][0-9]+ frames in .*demo\.pcapng\n", output);
        Assert.True(new FileInfo(pcap).Length > 1_000);
    }

    public void Dispose() => _folder.Delete(recursive: true);
}
