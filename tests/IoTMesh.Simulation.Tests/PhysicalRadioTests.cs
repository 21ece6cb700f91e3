using System.Text;

namespace IoTMesh.Simulation.Tests;

public class PhysicalRadioTests
{
    private static readonly RadioSpec _plain = RadioSpec.Simple with { IsPhysical = true, ShadowingDb = 0, AsymmetryDb = 0 };

    private static Scenario Parse(string json) => Scenario.Parse("p.json", Encoding.UTF8.GetBytes(json));

    private static SimulationResult Run(string json, ulong seed = 1) => SimulationRun.Run(Parse(json), seed);

    /// <summary>A channel over three nodes in a line, one unit apart.</summary>
    private static PhysicalChannel Channel(RadioSpec spec)
    {
        return new PhysicalChannel(spec, new Medium(new Propagation(spec, 1).Apply(Topology.Create(TopologyKind.Line, 3)), 1), 1);
    }

    private static Transmission From(int node, int to, long startUs) => new() { From = node, To = to, RateMbps = 1, StartUs = startUs };

    [Fact]
    public void Airtime_is_that_of_the_standard()
    {
        // Long preamble 192 us; 60 + 43 B at 1 Mbit/s.
        Assert.Equal(192 + (103 * 8), Phy.EspNow.FrameUs(60, isBroadcast: true));

        // 142 B and 22 bits in symbols of 24 bits: 49 of 4 us, behind 20 us of preamble, 6 us of extension.
        Assert.Equal(26 + (49 * 4), Phy.Wifi.FrameUs(60, isBroadcast: false));
        Assert.Equal(192 + (142 * 8), Phy.Wifi.FrameUs(60, isBroadcast: true));

        // An acknowledgement of 14 B at 6 Mbit/s.
        Assert.Equal(26 + (6 * 4), Phy.Wifi.AckUs);
        Assert.Equal(Airtime.EspNow, Phy.EspNow.ToAirtime());
    }

    [Theory]
    [InlineData(1, -98)]
    [InlineData(6, -93)]
    public void At_the_sensitivity_eight_percent_of_long_frames_are_lost(double rateMbps, double dbm)
    {
        Propagation propagation = new(_plain, 1);
        double sinr = Propagation.Milliwatts(dbm) / propagation.NoiseMw;
        Assert.Equal(0.92, propagation.Survival(sinr, 1024 * 8 / rateMbps, rateMbps), 0.001);
        Assert.True(propagation.Survival(sinr * 2, 1024 * 8 / rateMbps, rateMbps) > 0.999);
        Assert.True(propagation.Survival(sinr / 2, 1024 * 8 / rateMbps, rateMbps) < 0.01);
    }

    [Fact]
    public void Shadowing_has_a_part_that_both_directions_share()
    {
        Propagation propagation = new(_plain with { ShadowingDb = 6, AsymmetryDb = 2 }, 7);
        Propagation bare = new(_plain, 7);
        List<double> there = [];
        List<double> differences = [];
        for (int a = 1; a <= 60; a++)
        {
            for (int b = a + 1; b <= 60; b++)
            {
                RadioPosition far = new(2, 0);
                double dbm = propagation.ReceivedDbm(a, b, default, far);
                there.Add(dbm - bare.ReceivedDbm(a, b, default, far));
                differences.Add(dbm - propagation.ReceivedDbm(b, a, default, far));
            }
        }

        static double Deviation(List<double> values) => Math.Sqrt(values.Average(value => value * value));
        Assert.Equal(Math.Sqrt((6 * 6) + (2 * 2)), Deviation(there), 0.4);
        Assert.Equal(2 * Math.Sqrt(2), Deviation(differences), 0.2);
        Assert.InRange(there.Average(), -0.5, 0.5);
    }

    [Fact]
    public void Overlapping_frames_of_equal_strength_collide_and_a_much_stronger_one_is_taken_up()
    {
        foreach (double asideDb in new[] { 0.0, 15.0 })
        {
            // Node 1 is one unit from node 2, node 3 as well; with a power on one side it wins even where it comes second.
            RadioSpec spec = _plain with { TxPowerDbm = 0 };
            Topology line = Topology.Create(TopologyKind.Line, 3);
            Medium medium = new(new Propagation(spec, 1).Apply(line), 1);
            if (asideDb > 0)
            {
                medium.Move(3, 1 + Math.Pow(10, -asideDb / 30), 0);
            }

            PhysicalChannel channel = new(spec, medium, 1);
            int weak = channel.Begin(From(1, 2, 0), 0);
            int strong = channel.Begin(From(3, 2, 300), 300);
            List<Reception> outcomes = [];
            channel.End(weak, 1000, outcomes);
            channel.End(strong, 1300, outcomes);
            Assert.Equal(Fate.Collided, outcomes[0].Fate);
            Assert.Equal(asideDb > 0 ? Fate.Delivered : Fate.Collided, outcomes[1].Fate);
        }
    }

    [Fact]
    public void Weak_signal_far_below_does_no_harm_and_a_sender_hears_nothing()
    {
        PhysicalChannel channel = Channel(_plain with { TxPowerDbm = 0 });
        List<Reception> outcomes = [];
        int alone = channel.Begin(From(1, 2, 0), 0);
        channel.End(alone, 1000, outcomes);
        Assert.Equal(Fate.Delivered, outcomes[0].Fate);

        // Node 2 sends while node 1's frame is on the air.
        outcomes.Clear();
        int heard = channel.Begin(From(1, 2, 2000), 2000);
        int own = channel.Begin(From(2, 3, 2500), 2500);
        Assert.True(channel.IsSending(2));
        channel.End(heard, 3000, outcomes);
        Assert.Equal(Fate.Collided, outcomes[0].Fate);
        channel.End(own, 3500, outcomes);
        Assert.False(channel.IsSending(2));

        // Node 3 took up node 1's frame from two units away, and lost it to node 2's, which is closer but not by the capture ratio.
        Assert.Equal(Fate.Collided, outcomes[1].Fate);
    }

    [Fact]
    public void Nodes_that_hear_each_other_collide_less_than_hidden_ones_and_than_those_that_do_not_listen()
    {
        static SimulationResult Star(double unitMeters, string more) => Run($$"""
            {"durationSeconds":60,"topology":{"kind":"line","nodes":3,"gateways":[2]},
             "radio":{"model":"physical","unitMeters":{{unitMeters}},"shadowingDb":0,"asymmetryDb":0,"pathLossExponent":4{{more}}},
             "traffic":[{"from":"all","to":"gateway","periodSeconds":0.02,"startSeconds":10}]}
            """);
        SimulationResult near = Star(30, string.Empty);
        SimulationResult hidden = Star(80, string.Empty);
        SimulationResult deaf = Star(30, ",\"carrierSense\":false");
        Assert.True(hidden.Collisions > 3 * near.Collisions, $"{near.Collisions} and {hidden.Collisions}");
        Assert.True(deaf.Collisions > 2 * near.Collisions, $"{near.Collisions} and {deaf.Collisions}");
        Assert.True(near.DeliveryRatio > 0.99, near.ToText());
    }

    [Theory]
    [InlineData("espnow")]
    [InlineData("wifi")]
    public void Link_bytes_and_airtime_of_two_close_nodes_add_up(string phy)
    {
        SimulationResult run = Run($$"""
            {"durationSeconds":60,"topology":{"kind":"line","nodes":2},
             "radio":{"model":"physical","phy":"{{phy}}","unitMeters":10,"shadowingDb":0,"asymmetryDb":0},
             "traffic":[{"from":"all","to":"gateway","periodSeconds":1,"startSeconds":10}]}
            """);
        Assert.Equal((40, 0), (run.Delivered, run.Collisions));
        long added = run.LinkBytesOnAir - run.BytesOnAir;
        if (phy == "espnow")
        {
            Assert.Equal(43 * run.FramesOnAir, added);
            Assert.Equal((run.FramesOnAir * (192 + (43 * 8))) + (run.BytesOnAir * 8), run.AirtimeSeconds * 1e6, 1);
        }
        else
        {
            // 82 B for all, 14 B for the acknowledgement of those to one: more than half of them.
            Assert.InRange(added - (82 * run.FramesOnAir), 14 * run.FramesOnAir / 2, 14 * run.FramesOnAir);
        }
    }

    [Fact]
    public void Simple_model_counts_the_same_radio_bytes()
    {
        SimulationResult run = Run(
            """{"durationSeconds":30,"topology":{"kind":"line","nodes":3},"traffic":[{"from":"all","to":"gateway","periodSeconds":1}]}""");
        Assert.Equal(run.BytesOnAir + (43 * run.FramesOnAir), run.LinkBytesOnAir);
        Assert.Equal((run.FramesOnAir * (192 + (43 * 8))) + (run.BytesOnAir * 8), run.AirtimeSeconds * 1e6, 1);
        Assert.Equal(0, run.Collisions);
    }

    [Theory]
    [InlineData("espnow")]
    [InlineData("wifi")]
    public void Faults_and_moves_work_on_the_physical_model_and_runs_repeat(string phy)
    {
        Scenario scenario = Parse($$"""
            {"durationSeconds":150,"topology":{"kind":"grid4","nodes":16},
             "radio":{"model":"physical","phy":"{{phy}}","unitMeters":40,"pathLossExponent":3.5},
             "traffic":[{"from":"all","to":"gateway","periodSeconds":2,"startSeconds":20,"custody":true}],
             "faults":[{"atSeconds":40,"kill":2},{"atSeconds":45,"start":2},{"atSeconds":50,"cut":[1,5]},{"atSeconds":60,"restore":[1,5]},
              {"atSeconds":65,"move":[16,0.5,0.5]},{"atSeconds":70,"partition":[[1,2,3,4,5,6,7,8]]},{"atSeconds":75,"merge":true},
              {"atSeconds":80,"kill":1},{"atSeconds":85,"start":1}]}
            """);
        SimulationResult run = SimulationRun.Run(scenario, 5);
        Assert.True(run.IsGood && run.DeliveryRatio > 0.99, run.ToText());
        scenario = scenario with { Radio = scenario.Radio with { Duplicate = 0.02, Corrupt = 0.01, Replay = 0.01, DelayMs = 2 } };
        Assert.Equal(SimulationRun.Run(scenario, 5).TraceHash, SimulationRun.Run(scenario, 5).TraceHash);
    }

    [Theory]
    [InlineData("physical-grid-25")]
    [InlineData("physical-random-50")]
    public void Built_in_physical_scenario_delivers(string name)
    {
        SimulationResult run = SimulationRun.Run(Scenario.Load(name));
        Assert.True(run.IsGood && run.DeliveryRatio > 0.99, run.ToText());
        Assert.True(run.Collisions > 0, run.ToText());
    }

    [Fact]
    public void Measured_links_collide_too()
    {
        DirectoryInfo directory = Directory.CreateTempSubdirectory("iotmesh-");
        try
        {
            File.WriteAllText(
                Path.Combine(directory.FullName, "t.json"),
                """{"nodes":3,"links":[[1,2,1,-60],[2,1,1,-60],[2,3,0.9,-62],[3,2,0.9,-62]]}""");
            string path = Path.Combine(directory.FullName, "s.json");
            File.WriteAllText(
                path,
                """
                {"durationSeconds":60,"topology":{"kind":"trace","file":"t.json","gateways":[2]},"radio":{"model":"physical"},
                 "traffic":[{"from":"all","to":"gateway","periodSeconds":0.05}]}
                """);
            SimulationResult run = SimulationRun.Run(Scenario.Load(path));
            Assert.True(run.IsGood && run.Collisions > 10 && run.DeliveryRatio > 0.95, run.ToText());
        }
        finally
        {
            directory.Delete(recursive: true);
        }
    }

    [Theory]
    [InlineData("{\"model\":\"real\"}", "radio.model: expected one of simple, physical, found 'real'")]
    [InlineData("{\"shadowingDb\":3}", "radio.shadowingDb: unknown key; known here: corrupt, delayMs, duplicate, model, phy")]
    [InlineData("{\"phy\":\"lora\"}", "radio.phy: expected one of espnow, wifi, found 'lora'")]
    [InlineData("{\"rateMbps\":6}", "radio.rateMbps: ESP-NOW sends at 1 Mbit/s")]
    [InlineData("{\"phy\":\"wifi\",\"rateMbps\":7}", "radio.rateMbps: expected one of 1, 2, 5.5, 11, 6, 9, 12")]
    [InlineData("{\"duplicate\":2}", "radio.duplicate: expected a number from 0 to 1, found 2")]
    public void Wrong_radio_is_told(string radio, string message)
    {
        string json = $$"""{"durationSeconds":1,"topology":{"kind":"line","nodes":2},"radio":{{radio}}}""";
        Assert.Contains(message, Assert.Throws<InputException>(() => Parse(json)).Message, StringComparison.Ordinal);
    }
}
