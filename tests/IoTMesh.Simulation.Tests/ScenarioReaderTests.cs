using System.Text;
using IoTMesh.Core;
using IoTMesh.Simulation;

namespace IoTMesh.Simulation.Tests;

public class ScenarioReaderTests
{
    private const string Head = """{"name":"s","seed":7,"durationSeconds":60,"topology":{"kind":"line","nodes":4}""";

    private static Scenario Parse(string json) => Scenario.Parse("s.json", Encoding.UTF8.GetBytes(json));

    private static string ErrorOf(string json) => Assert.Throws<InputException>(() => Parse(json)).Message;

    [Fact]
    public void Reads_every_key()
    {
        Scenario scenario = Parse(Head + """
            ,"traffic":[{"from":"all","to":"gateway","periodSeconds":2},
              {"from":[2,3],"to":[4,1],"periodSeconds":0.5,"payloadBytes":11,"startSeconds":3,"confirmed":true,"class":"realtime"},
              {"from":[2],"to":"any","periodSeconds":1},
              {"from":[2],"to":"all","periodSeconds":1,"payloadBytes":180},
              {"from":[2],"to":"gateway","periodSeconds":1,"custody":true}],
             "faults":[{"atSeconds":1,"kill":2},{"atSeconds":2,"start":2},{"atSeconds":3,"cut":[1,2]},{"atSeconds":4,"restore":[1,2]},
              {"atSeconds":5,"partition":[[1,2],[3]]},{"atSeconds":6,"merge":true},{"atSeconds":7,"move":[2,0.5,-1]},
              {"atSeconds":8,"gatewayDown":1},{"atSeconds":9,"gatewayUp":1},{"atSeconds":10,"rotate":1},{"atSeconds":11,"revoke":3}]}
            """);
        Assert.Equal(("s", 7UL, 60.0, 4), (scenario.Name, scenario.Seed, scenario.DurationSeconds, scenario.Topology.Nodes));
        TrafficEntry all = scenario.Traffic[0];
        Assert.Null(all.From);
        Assert.Equal((TrafficTarget.Gateway, 20, false, false, MeshClass.Normal),
            (all.Target, all.PayloadBytes, all.Confirmed, all.Custody, all.Class));
        TrafficEntry pairs = scenario.Traffic[1];
        Assert.Equal([4, 1], pairs.To);
        Assert.Equal((0.5, 11, 3.0, true, MeshClass.RealTime),
            (pairs.PeriodSeconds, pairs.PayloadBytes, pairs.StartSeconds, pairs.Confirmed, pairs.Class));
        Assert.Equal(TrafficTarget.Any, scenario.Traffic[2].Target);
        Assert.Equal((TrafficTarget.All, 180), (scenario.Traffic[3].Target, scenario.Traffic[3].PayloadBytes));
        Assert.True(scenario.Traffic[4].Custody);
        Assert.Equal(Enum.GetValues<FaultKind>(), scenario.Faults.Select(fault => fault.Kind));
        Assert.Equal(new RadioPosition(0.5, -1), scenario.Faults[6].Position);
        Assert.Equal([[1, 2], [3]], scenario.Faults[4].Groups);
    }

    [Theory]
    [InlineData(",\"extra\":1}", "s.json:1: extra: unknown key; known here: ")]
    [InlineData(",\"traffic\":[\n{\"from\":\"all\",\n\"to\":\"gateway\",\"periodSecond\":1}]}", "s.json:2: traffic[0]: 'periodSeconds' is missing")]
    [InlineData(",\"traffic\":[\n{\"from\":\"all\",\n\"to\":\"gateway\",\"periodSeconds\":1,\"loss\":1}]}", "s.json:3: traffic[0].loss: unknown key")]
    [InlineData(",\"traffic\":{}}", "s.json:1: traffic: expected an array, found an object")]
    [InlineData(",\"traffic\":[{\"from\":\"some\",\"to\":\"gateway\",\"periodSeconds\":1}]}",
        "traffic[0].from: expected 'all' or an array of ids, found 'some'")]
    [InlineData(",\"traffic\":[{\"from\":[2,3],\"to\":[1,2,3],\"periodSeconds\":1}]}", "traffic[0].to: expected one id, or as many as 'from' has")]
    [InlineData(",\"traffic\":[{\"from\":[2],\"to\":[2],\"periodSeconds\":1}]}", "traffic[0].to: node 2 would send to itself")]
    [InlineData(",\"traffic\":[{\"from\":[5],\"to\":\"any\",\"periodSeconds\":1}]}",
        "traffic[0].from[0]: expected a whole number from 1 to 4, found 5")]
    [InlineData(",\"traffic\":[{\"from\":[2],\"to\":\"any\",\"periodSeconds\":0}]}",
        "traffic[0].periodSeconds: expected a number from 0.001 to 31536000, found 0")]
    [InlineData(",\"traffic\":[{\"from\":[2],\"to\":\"any\",\"periodSeconds\":1,\"class\":\"fast\"}]}",
        "traffic[0].class: expected one of control, realtime, normal, bulk")]
    [InlineData(",\"traffic\":[{\"from\":[2],\"to\":\"any\",\"periodSeconds\":1,\"custody\":true}]}",
        "traffic[0].custody: readings in custody go to 'gateway'")]
    [InlineData(",\"traffic\":[{\"from\":[2],\"to\":\"all\",\"periodSeconds\":1,\"confirmed\":true}]}",
        "traffic[0]: messages to 'all' cannot be confirmed")]
    [InlineData(",\"traffic\":[{\"from\":[2],\"to\":\"any\",\"periodSeconds\":1,\"confirmed\":1}]}",
        "traffic[0].confirmed: expected true or false, found 1")]
    [InlineData(",\"traffic\":[{\"from\":[2,1],\"to\":\"gateway\",\"periodSeconds\":1}]}", "traffic[0].from[1]: node 1 is a gateway itself")]
    [InlineData(",\"traffic\":[{\"from\":[2,2],\"to\":[1],\"periodSeconds\":1}]}", "traffic[0].from[1]: node 2 is there twice")]
    [InlineData(",\"traffic\":[{\"from\":[2],\"to\":\"gateway\",\"periodSeconds\":1,\"custody\":true,\"payloadBytes\":65}]}",
        "traffic[0].payloadBytes: a reading in custody holds at most 64 bytes")]
    [InlineData(",\"traffic\":[{\"from\":[2],\"to\":\"all\",\"periodSeconds\":1,\"payloadBytes\":181}]}",
        "traffic[0].payloadBytes: a message to 'all' holds at most 180 bytes")]
    [InlineData(",\"faults\":[{\"atSeconds\":1}]}", "faults[0]: expected exactly one of kill, start")]
    [InlineData(",\"faults\":[{\"atSeconds\":1,\"kill\":2,\"start\":2}]}", "faults[0]: expected exactly one of")]
    [InlineData(",\"faults\":[{\"atSeconds\":1,\"explode\":2}]}", "faults[0].explode: unknown key")]
    [InlineData(",\"faults\":[{\"kill\":2}]}", "faults[0]: 'atSeconds' is missing")]
    [InlineData(",\"faults\":[{\"atSeconds\":1,\"cut\":[2]}]}", "faults[0].cut: expected an array of 2, found an array of 1")]
    [InlineData(",\"faults\":[{\"atSeconds\":1,\"cut\":[2,2]}]}", "faults[0].cut: a link needs two nodes")]
    [InlineData(",\"faults\":[{\"atSeconds\":1,\"gatewayDown\":2}]}", "faults[0].gatewayDown: node 2 is no gateway")]
    [InlineData(",\"faults\":[{\"atSeconds\":1,\"partition\":[[1],[1]]}]}", "faults[0].partition[1]: node 1 is in two groups")]
    [InlineData(",\"faults\":[{\"atSeconds\":1,\"merge\":false}]}", "faults[0].merge: expected true")]
    [InlineData(",\"faults\":[{\"atSeconds\":-1,\"kill\":2}]}", "faults[0].atSeconds: expected a number from 0 to")]
    [InlineData(",\"faults\":[{\"atSeconds\":1,\"move\":[2,1]}]}", "faults[0].move: expected an array of 3")]
    public void Errors_name_file_line_and_key(string rest, string message)
    {
        string error = ErrorOf(Head + rest);
        Assert.Contains(message, error, StringComparison.Ordinal);
        Assert.StartsWith("s.json:", error, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', error);
    }

    [Fact]
    public void Lists_pair_by_index_and_a_source_may_have_several_destinations()
    {
        TrafficEntry entry = Parse(Head + ",\"traffic\":[{\"from\":[2,2,3],\"to\":[3,4,4],\"periodSeconds\":1}]}").Traffic[0];
        Assert.Equal([(2, 3), (2, 4), (3, 4)], entry.From!.Zip(entry.To));
    }

    [Fact]
    public void Mutated_scenarios_are_read_or_refused_in_one_line()
    {
        byte[] good = Encoding.UTF8.GetBytes(Head
            + ",\"faults\":[{\"atSeconds\":1,\"cut\":[1,2]}],\"traffic\":[{\"from\":\"all\",\"to\":\"gateway\",\"periodSeconds\":1}]}");
        SeededRandom random = new(3);
        int refused = 0;
        for (int i = 0; i < 20_000; i++)
        {
            byte[] mutant = good[..(random.NextInt(4) == 0 ? random.NextInt(good.Length) : good.Length)];
            for (int flips = 1 + random.NextInt(3); flips > 0 && mutant.Length > 0; flips--)
            {
                mutant[random.NextInt(mutant.Length)] = (byte)random.NextUInt32();
            }

            try
            {
                Scenario.Parse("m.json", mutant);
            }
            catch (InputException error)
            {
                refused++;
                Assert.StartsWith("m.json:", error.Message, StringComparison.Ordinal);
            }
        }

        Assert.InRange(refused, 10_000, 20_000);
    }

    [Fact]
    public void Every_built_in_scenario_is_read_and_bears_its_name()
    {
        Assert.Contains("grid4-16-heal", Scenario.BuiltIn);
        Assert.All(Scenario.BuiltIn, name =>
        {
            Scenario scenario = Scenario.Load(name);
            Assert.Equal(name, scenario.Name);
            Assert.Equal(scenario.Topology.Nodes, scenario.Topology.Create(1).NodeCount);
        });
    }

    [Fact]
    public void Unknown_name_lists_the_built_in_ones()
    {
        string message = Assert.Throws<InputException>(() => Scenario.Load("grid4-17")).Message;
        Assert.StartsWith("grid4-17: no such file and no built-in scenario; built in: attack-clock, ", message, StringComparison.Ordinal);
    }

    [Fact]
    public void Trace_of_a_scenario_is_found_beside_it()
    {
        DirectoryInfo directory = Directory.CreateTempSubdirectory("iotmesh-");
        try
        {
            File.WriteAllText(Path.Combine(directory.FullName, "t.json"), """{"nodes":3,"links":[[1,2,1,-60],[2,1,1,-60]],"more":1}""");
            string path = Path.Combine(directory.FullName, "s.json");
            File.WriteAllText(path, """{"durationSeconds":1,"topology":{"kind":"trace","file":"t.json","gateways":[2]},"traffic":[]}""");
            Scenario scenario = Scenario.Load(path);
            Assert.Equal(("s", 3), (scenario.Name, scenario.Topology.Nodes));
            Assert.Equal([2], scenario.Topology.Create(1).Gateways);
        }
        finally
        {
            directory.Delete(recursive: true);
        }
    }
}
