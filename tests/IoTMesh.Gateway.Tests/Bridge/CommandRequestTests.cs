using System.Text;
using IoTMesh.Core;
using IoTMesh.Gateway.Bridge;

namespace IoTMesh.Gateway.Tests.Bridge;

public sealed class CommandRequestTests
{
    [Fact]
    public void Set_takes_values_by_name()
    {
        CommandRequest request = Parse("set", "{\"id\":\"a1\",\"led\":true,\"period\":5,\"name\":\"x\"}");
        Assert.Null(request.Error);
        Assert.Equal("a1", request.Id!.Value.GetString());
        Assert.Equal(
            [new CommandStep(CommandOp.Set, "led", true), new CommandStep(CommandOp.Set, "period", 5L), new CommandStep(CommandOp.Set, "name", "x")],
            request.Steps);
    }

    [Fact]
    public void Set_takes_key_and_value()
    {
        Assert.Equal([new CommandStep(CommandOp.Set, "led", false)], Parse("set", "{\"id\":3,\"key\":\"led\",\"value\":false}").Steps);
    }

    [Fact]
    public void Get_takes_a_key()
    {
        Assert.Equal([new CommandStep(CommandOp.Get, "led", null)], Parse("get", "{\"key\":\"led\"}").Steps);
    }

    [Theory]
    [InlineData("set", "led on", "not valid JSON")]
    [InlineData("set", "[]", "a request is a JSON object")]
    [InlineData("set", "{\"id\":\"\\ud800\",\"led\":true}", "not valid JSON: a name or text is not valid Unicode")]
    [InlineData("set", "{\"\\ud800\":true}", "not valid JSON: a name or text is not valid Unicode")]
    [InlineData("set", "{\"op\":\"\\udc00\"}", "not valid JSON: a name or text is not valid Unicode")]
    [InlineData("set", "{}", "set needs 1 to 12 values")]
    [InlineData("set", "{\"led\":null}", "led must be true, false, a whole number or a text")]
    [InlineData("set", "{\"led\":1.5}", "led must be")]
    [InlineData("set", "{\"id\":{}}", "id must be a text or a number")]
    [InlineData("get", "{}", "get needs a key")]
    [InlineData("fly", "{}", "op must be")]
    [InlineData("set", "{\"a\":{\"a\":{\"a\":{\"a\":{}}}}}", "not valid JSON")]
    public void What_cannot_be_done_is_said(string operation, string json, string expected)
    {
        CommandRequest request = Parse(operation, json);
        Assert.StartsWith(expected, request.Error);
        Assert.Empty(request.Steps);
    }

    [Fact]
    public void A_refusal_repeats_the_id()
    {
        string answer = Encoding.UTF8.GetString(CommandRunner.Refuse(Parse("set", "{\"id\":\"a1\"}"), "node-7", "nobody"));
        Assert.Contains("\"id\":\"a1\"", answer);
        Assert.Contains("\"ok\":false", answer);
    }

    [Fact]
    public void Topics_are_taken_apart()
    {
        var topics = new Topics("s", "gw1");
        Assert.True(topics.TryParseCommand("iotmesh/v1/s/node/node-7/set", out string node, out string operation));
        Assert.Equal(("node-7", "set"), (node, operation));
        Assert.True(topics.TryParseRequest("iotmesh/v1/s/gw/gw1/req/ping", out operation));
        Assert.Equal("ping", operation);
        Assert.False(topics.TryParseCommand("iotmesh/v1/s/node/node-7/state", out _, out _));
        Assert.False(topics.TryParseCommand("iotmesh/v1/other/node/node-7/set", out _, out _));
        Assert.False(topics.TryParseCommand("iotmesh/v1/s/node/set", out _, out _));
        Assert.False(topics.TryParseRequest("iotmesh/v1/s/gw/gw2/req/ping", out _));
    }

    private static CommandRequest Parse(string operation, string json)
    {
        return CommandRequest.Parse(operation, Encoding.UTF8.GetBytes(json));
    }
}
