using IoTMesh.Simulation;

namespace IoTMesh.Simulation.Tests;

public sealed class TopologyFileTests : IDisposable
{
    private readonly string _path = Path.Combine(Path.GetTempPath(), $"iotmesh-{Guid.NewGuid():n}.json");

    public void Dispose() => File.Delete(_path);

    private Topology Load(string json)
    {
        File.WriteAllText(_path, json);
        return TopologyFile.Load(_path);
    }

    private string ErrorOf(string json) => Assert.Throws<InputException>(() => Load(json)).Message.Replace(_path, "FILE", StringComparison.Ordinal);

    [Fact]
    public void Reads_measured_links_and_leaves_other_keys_alone()
    {
        Topology trace = Load("""{"name":"x","nodes":3,"links":[[2,1,0.5,-80],[1,2,1.0,-61.4],[2,3,0.25,-90]],"deepRoot":3}""");
        Assert.Equal((3, 3, false), (trace.NodeCount, trace.LinkCount, trace.HasPositions));
        Assert.True(trace.TryGetLink(1, 2, out RadioLink link));
        Assert.Equal(new RadioLink(2, 1.0, -61), link);
        Assert.False(trace.TryGetLink(3, 2, out _));
    }

    [Fact]
    public void Reads_positions_where_they_are()
    {
        Topology trace = Load("""{"nodes":2,"links":[],"positions":[[0,0],[1.5,-2]]}""");
        Assert.Equal(new RadioPosition(1.5, -2), trace.PositionOf(2));
    }

    [Fact]
    public void Reads_the_topology_object_of_a_scenario()
    {
        Topology grid = Load("""{"kind":"grid4","nodes":6,"columns":3,"loss":0.1,"gateways":[1,6]}""");
        Assert.Equal((TopologyKind.Grid4, 6, 14), (grid.Kind, grid.NodeCount, grid.LinkCount));
        Assert.Equal([1, 6], grid.Gateways);
        Assert.Equal(4, Load("""{"name":"s","topology":{"kind":"line","nodes":4},"traffic":[]}""").NodeCount);
    }

    [Theory]
    [InlineData("""{"nodes":2,"links":[[1,2,1.5,-60]]}""", "FILE:1: links[0][2]: expected a number from 0 to 1, found 1.5")]
    [InlineData("{\"nodes\":2,\n\"links\":[\n[1,3,1,-60]]}", "FILE:3: links[0][1]: expected a whole number from 1 to 2, found 3")]
    [InlineData("""{"nodes":2,"links":[[1,1,1,-60]]}""", "FILE:1: links[0]: a node has no link to itself")]
    [InlineData("""{"nodes":2,"links":[[1,2,1,-60],[1,2,1,-60]]}""", "FILE:1: links[1]: the link from 1 to 2 is there twice")]
    [InlineData("""{"nodes":2,"links":[[1,2,1]]}""", "FILE:1: links[0]: expected an array of 4, found an array of 3")]
    [InlineData("""{"links":[]}""", "FILE:1: the file: 'nodes' is missing")]
    [InlineData("""{"kind":"grid5","nodes":2}""",
        "FILE:1: kind: expected one of line, ring, star, grid4, grid8, tree3, random, trace, found 'grid5'")]
    [InlineData("{\"kind\":\"line\",\n\"nodes\":2,\n\"lose\":0}",
        "FILE:3: lose: unknown key; known here: columns, file, gateways, kind, links, loss, nodes, pollIntervalSeconds, sleepy, topology")]
    [InlineData("""{"kind":"line","nodes":"2"}""", "FILE:1: nodes: expected a whole number from 1 to 4096, found '2'")]
    [InlineData("""{"kind":"line","nodes":2,"nodes":3}""", "FILE:1: nodes: the key is there twice")]
    [InlineData("""{"kind":"line","nodes":2,"gateways":[1,1]}""", "FILE:1: gateways[1]: node 1 is there twice")]
    [InlineData("""{"kind":"trace","file":"none-of-this-name.json"}""", "none-of-this-name.json: cannot be read")]
    [InlineData("{\n\"kind\":\"line\",\n", "FILE:3: not JSON: ")]
    [InlineData("", "FILE:1: not JSON: ")]
    [InlineData("[]", "FILE:1: the file: expected an object, found an array of 0")]
    [InlineData("{} {}", "FILE:1: not JSON: ")]
    public void Errors_name_file_line_and_key(string json, string message)
    {
        Assert.Contains(message, ErrorOf(json), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("gateways")]
    [InlineData("sleepy")]
    public void Ids_that_the_measured_links_do_not_have_are_errors_of_the_scenario(string key)
    {
        string links = _path + ".links";
        File.WriteAllText(links, """{"nodes":3,"links":[]}""");
        try
        {
            string error = ErrorOf($$"""{"kind":"trace",{{"\n"}}"file":"{{links}}",{{"\n"}}"{{key}}":[2,4]}""");
            Assert.Equal($"FILE:3: {key}[1]: expected a whole number from 1 to 3, found 4", error);
        }
        finally
        {
            File.Delete(links);
        }
    }

    [Fact]
    public void Missing_file_is_one_clear_line()
    {
        string message = Assert.Throws<InputException>(() => TopologyFile.Load(_path)).Message;
        Assert.StartsWith(_path + ": cannot be read: ", message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', message);
    }
}
