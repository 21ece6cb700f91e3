using System.Reflection;
using IoTMesh.Core;

namespace IoTMesh.Simulation.Tests;

public sealed class FuzzTests : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("iotmesh-fuzz-");

    [Fact]
    public void Seed_decides_the_plan_and_plans_differ()
    {
        Assert.Equal(FuzzPlan.Create(7).ToJson(), FuzzPlan.Create(7).ToJson());
        Scenario[] many = [.. Enumerable.Range(1, 200).Select(seed => FuzzPlan.Create((ulong)seed))];
        Assert.Equal(7, many.Select(plan => plan.Topology.Kind).Distinct().Count());
        Assert.Equal(9, many.SelectMany(plan => plan.Faults).Select(fault => fault.Kind).Distinct().Count());
        Assert.Equal([0, 1, 2, 3], many.Select(plan => plan.Topology.Gateways!.Count).Distinct().Order());
        Assert.Contains(many, plan => plan.Topology.Loss > 0.4);
        Assert.Contains(many, plan => plan.Faults.Any(fault => fault.AtSeconds < 3));
        Assert.Contains(many, plan => plan.Traffic.Any(entry => entry.Custody));
        Assert.Contains(many, plan => plan.Traffic.Any(entry => entry.Target == TrafficTarget.Any && entry.Confirmed));
        Assert.Contains(many, plan => plan.Traffic.Any(entry => entry.Target == TrafficTarget.All));
        Assert.Contains(many, plan => plan is { ClockDriftPpm: > 0, Radio.Corrupt: > 0, Radio.Duplicate: > 0 });
        Assert.Contains(many, plan => plan.Radio.IsPhysical);
        Assert.Contains(many, plan => plan.Traffic.Any(entry => entry.PayloadBytes > 180));
    }

    [Fact]
    public void A_written_scenario_reads_back_and_runs_the_same()
    {
        for (ulong seed = 1; seed <= 100; seed++)
        {
            foreach (Scenario scenario in new[] { FuzzPlan.Create(seed), RandomScenario.Create(seed) })
            {
                string json = scenario.ToJson();
                Scenario read = Parse(json);
                Assert.Equal(json, read.ToJson());
            }
        }

        string physical = Parse("""
            {"name": "p", "durationSeconds": 30, "topology": {"kind": "grid8", "nodes": 9, "sleepy": [3, 7], "pollIntervalSeconds": 7.5},
             "clockDriftPpm": 20.5,
             "radio": {"model": "physical", "phy": "wifi", "rateMbps": 12, "duplicate": 0.1, "delayMs": 3, "corrupt": 0.01, "replay": 0.02,
               "replaySeconds": 4, "unitMeters": 30, "pathLossExponent": 2.7, "shadowingDb": 3, "asymmetryDb": 2, "txPowerDbm": 14,
               "noiseDbm": -93, "sensitivityDbm": -90, "captureDb": 9, "interferenceDb": 7, "carrierSense": false, "carrierSenseDbm": -85}}
            """).ToJson();
        Assert.Equal(physical, Parse(physical).ToJson());
        Assert.Contains("\"carrierSenseDbm\": -85", physical);
        Assert.Contains("\"pollIntervalSeconds\": 7.5", physical);
        Scenario plan = FuzzPlan.Create(12, nodesMax: 8) with { DurationSeconds = 60 };
        Assert.Equal(SimulationRun.Run(plan).TraceHash, SimulationRun.Run(Parse(plan.ToJson())).TraceHash);
    }

    /// <summary>A new property of a scenario must be written too: <see cref="ScenarioWriter"/>, then here.</summary>
    [Theory]
    [InlineData(typeof(Scenario), "Name Seed DurationSeconds Topology Traffic Faults ClockDriftPpm RealTimeTwice Radio Join Attackers")]
    [InlineData(
        typeof(RadioSpec),
        "IsPhysical Phy Duplicate DelayMs Corrupt Replay ReplaySeconds UnitMeters PathLossExponent ShadowingDb AsymmetryDb TxPowerDbm NoiseDbm "
        + "SensitivityDbm CaptureDb InterferenceDb CarrierSense CarrierSenseDbm")]
    [InlineData(typeof(TopologySpec), "Kind Nodes Columns Loss File Gateways Sleepy PollIntervalSeconds")]
    [InlineData(typeof(TrafficEntry), "From Target To PeriodSeconds PayloadBytes StartSeconds Confirmed Custody Class ViaServer Ask")]
    [InlineData(typeof(FaultEntry), "AtSeconds Kind A B Position Groups")]
    public void Everything_a_scenario_says_is_written(Type type, string written)
    {
        string[] properties = [.. type.GetProperties(BindingFlags.Public | BindingFlags.Instance).Select(property => property.Name)];
        Assert.Equal(written.Split(' ').Order(), properties.Order());
    }

    [Fact]
    public void Good_plans_pass()
    {
        FuzzRun run = new(new FuzzOptions { From = 7, Seeds = 12, NodesMax = 10, Folder = _folder.FullName }, FuzzJudge.FailureOf);
        FuzzProgress end = run.Run(_ => { }, _ => { }, CancellationToken.None);
        Assert.True(run.Findings.Count == 0, string.Join("; ", run.Findings.Select(finding => $"{finding.Seed}: {finding.Failure.What}")));
        Assert.Equal((12, 19UL), (end.Done, end.Next));
    }

    /// <summary>A rule that the mesh does not keep, so that real runs fail: nodes with a reading to send must not die.</summary>
    [Fact]
    public void A_broken_rule_is_shrunk_to_the_few_faults_that_break_it()
    {
        ScenarioShrinker shrinker = new(LosesReadings) { RunsMax = 600, Parallelism = 2 };
        Scenario drawn = Enumerable.Range(1, 200).Select(seed => FuzzPlan.Create((ulong)seed, nodesMax: 12))
            .First(plan => plan.Faults.Count >= 8 && plan.Traffic.Count >= 2 && LosesReadings(plan) is not null);
        Shrunk shrunk = shrinker.Shrink(drawn, LosesReadings(drawn)!);
        Assert.NotNull(LosesReadings(shrunk.Scenario));
        string size = $"{drawn.ToJson()} became {shrunk.Scenario.ToJson()}";
        Assert.True(shrunk.Scenario.Faults.Count <= 2, size);
        Assert.True(shrunk.Scenario.Topology.Nodes <= Math.Min(4, drawn.Topology.Nodes), size);
        Assert.True(shrunk.Scenario.Traffic.Count == 1, size);
        Assert.True(shrunk.Scenario.DurationSeconds < drawn.DurationSeconds, size);
        Assert.InRange(shrunk.Runs, 1, 600 + shrinker.Parallelism);

        // What is written is what fails.
        Assert.Equal(shrunk.Failure, LosesReadings(Parse(shrunk.Scenario.ToJson())));
    }

    [Fact]
    public void The_search_writes_the_first_failure_with_the_same_result_on_any_number_of_cores()
    {
        List<string> files = [];
        foreach (int jobs in new[] { 1, 3 })
        {
            string folder = Path.Combine(_folder.FullName, $"jobs{jobs}");
            FuzzOptions options = new()
            {
                From = 20,
                UntilFailure = true,
                NodesMax = 8,
                Parallelism = jobs,
                Folder = folder,
                ShrinkRunsMax = 100_000,
            };
            List<FuzzFinding> found = [];
            FuzzProgress end = new FuzzRun(options, KillsAreBad).Run(found.Add, _ => { }, CancellationToken.None);
            FuzzFinding finding = Assert.Single(found);
            Assert.Equal(1, end.Failed);
            Assert.All(Enumerable.Range(20, (int)finding.Seed - 20), seed => Assert.Null(KillsAreBad(FuzzPlan.Create((ulong)seed, 8))));
            Scenario smallest = Parse(File.ReadAllText(finding.File!));
            Assert.NotNull(KillsAreBad(smallest));
            Assert.Single(smallest.Faults);
            Assert.Equal(2, smallest.Topology.Nodes);
            files.Add(File.ReadAllText(finding.File!));
        }

        Assert.Equal(files[0], files[1]);
    }

    [Fact]
    public void The_search_ends_when_told_and_after_its_time()
    {
        using CancellationTokenSource stop = new();
        FuzzOptions options = new() { Parallelism = 1, Folder = _folder.FullName };
        int judged = 0;
        FuzzRun stopped = new(options, _ =>
        {
            if (++judged == 3)
            {
                stop.Cancel();
            }

            return null;
        });
        stopped.Run(_ => { }, _ => { }, stop.Token);
        Assert.Equal(3, judged);
        FuzzRun timed = new(options with { Duration = TimeSpan.FromMilliseconds(200) }, _ => null);
        Assert.True(timed.Run(_ => { }, _ => { }, CancellationToken.None).Done > 0);
    }

    [Fact]
    public void An_exception_is_a_failure_and_its_place_is_named()
    {
        TrafficEntry fromNobody = new([99], TrafficTarget.Any, [], 1, 20, 1, false, false, MeshClass.Normal);
        Scenario impossible = FuzzPlan.Create(3) with { Traffic = [fromNobody] };
        FuzzFailure? failure = FuzzJudge.FailureOf(impossible);
        Assert.NotNull(failure);
        Assert.Contains("IndexOutOfRange", failure.Category);
        Assert.Contains("IoTMesh.Simulation", failure.What);
    }

    public void Dispose() => _folder.Delete(recursive: true);

    private static Scenario Parse(string json) => Scenario.Parse("written.json", System.Text.Encoding.UTF8.GetBytes(json));

    private static FuzzFailure? LosesReadings(Scenario scenario)
    {
        bool kills = scenario.Faults.Any(fault => fault.Kind == FaultKind.Kill);
        SimulationResult? result = kills && scenario.Traffic.Count > 0 ? SimulationRun.Run(scenario) : null;
        return result?.Lost.Any(lost => lost.Reason == "lost") == true ? new FuzzFailure("a reading is lost", "a reading is lost") : null;
    }

    private static FuzzFailure? KillsAreBad(Scenario scenario)
    {
        FaultEntry? kill = scenario.Faults.FirstOrDefault(fault => fault.Kind == FaultKind.Kill);
        return kill is null ? null : new FuzzFailure("killed", $"node {kill.A} was killed");
    }
}
