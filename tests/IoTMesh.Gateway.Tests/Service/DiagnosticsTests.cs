using System.Net;
using System.Text.Json;
using IoTMesh.Gateway.Tests.Bridge;
using IoTMesh.Gateway.Tests.CommandLine;

namespace IoTMesh.Gateway.Tests.Service;

/// <summary>Questions to nodes over the real mesh, by REST and by the command line.</summary>
public sealed class DiagnosticsTests(SiteFixture site) : IClassFixture<SiteFixture>
{
    private const string FarNode = "node-5";

    [Fact]
    public async Task A_far_node_is_pinged_traced_and_shows_its_tables()
    {
        await OnlineAsync();
        JsonElement ping = await AskAsync("ping");
        Assert.Equal((FarNode, 4), (ping.GetProperty("node").GetString(), ping.GetProperty("hops").GetInt32()));
        JsonElement trace = await AskAsync("trace");
        Assert.Equal(["node-2", "node-3", "node-4", FarNode], NodesOf(trace, "hops"));
        Assert.Equal("gw1", trace.GetProperty("hops")[0].GetProperty("from").GetString());
        JsonElement counters = (await AskAsync("counters")).GetProperty("counters");
        Assert.True(counters.GetProperty("frames_sent").GetInt64() > 0);
        Assert.Equal(["node-4"], NodesOf(await AskAsync("neighbors"), "neighbors"));
        JsonElement routes = (await AskAsync("routes")).GetProperty("routes");
        Assert.Equal(4, routes.GetArrayLength());
        Assert.All(routes.EnumerateArray(), r => Assert.Equal("node-4", r.GetProperty("next_hop").GetString()));
    }

    [Fact]
    public async Task The_command_line_asks_the_running_gateway_and_says_clearly_what_is_wrong()
    {
        await OnlineAsync();
        string gateway = site.Gateway.Address.ToString();
        (int code, string output, string error) = await Iotmesh.RunAsync("trace", FarNode, "--gateway", gateway);
        Assert.Equal((0, ""), (code, error));
        Assert.StartsWith("hop  node    address  from    etx", output);
        Assert.Equal(5, output.Count(c => c == '\n'));
        (code, output, _) = await Iotmesh.RunAsync("ping", "5", "--gateway", gateway);
        Assert.StartsWith($"{FarNode} answers: 4 hops, ", output);
        (code, output, _) = await Iotmesh.RunAsync("counters", FarNode, "--gateway", gateway, "--json");
        Assert.True(JsonDocument.Parse(output).RootElement.GetProperty("ok").GetBoolean());
        (code, output, _) = await Iotmesh.RunAsync("neighbors", "gw1", "--gateway", gateway);
        Assert.Contains("node-2", output);
        (code, output, error) = await Iotmesh.RunAsync("routes", "nobody", "--gateway", gateway);
        Assert.Equal((1, "", "iotmesh: no node nobody in this site\n"), (code, output, error.ReplaceLineEndings("\n")));
        (code, output, error) = await Iotmesh.RunAsync("ping", FarNode, "--gateway", "http://127.0.0.1:9");
        Assert.Equal((1, ""), (code, output));
        Assert.StartsWith("iotmesh: no gateway at http://127.0.0.1:9", error);
    }

    private async Task<JsonElement> AskAsync(string what)
    {
        using HttpResponseMessage response = await site.Http.GetAsync($"api/v1/nodes/{FarNode}/{what}");
        string text = await response.Content.ReadAsStringAsync();
        Assert.True(response.StatusCode == HttpStatusCode.OK, text);
        return JsonDocument.Parse(text).RootElement;
    }

    private static IEnumerable<string?> NodesOf(JsonElement answer, string rows)
    {
        return answer.GetProperty(rows).EnumerateArray().Select(row => row.GetProperty("node").GetString());
    }

    private Task OnlineAsync()
    {
        return Eventually.HoldsAsync(
            () => site.Gateway.Live.Current.Nodes.All(n => n.Online) && site.Gateway.Registry.Devices.All(d => d.Keys.Count > 0),
            "all nodes are online");
    }
}
