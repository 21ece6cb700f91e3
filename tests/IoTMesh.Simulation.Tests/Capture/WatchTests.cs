namespace IoTMesh.Simulation.Tests.Capture;

public class WatchTests
{
    [Fact]
    public void A_watched_run_is_the_same_run_and_every_frame_is_seen_once()
    {
        Scenario scenario = RandomScenario.Create(9, nodesMax: 10);
        RecordingWatch recording = new();
        SimulationResult watched = SimulationRun.Run(scenario, options: new VirtualMeshOptions { Watch = recording });
        SimulationResult alone = SimulationRun.Run(scenario);
        Assert.Equal(alone.TraceHash, watched.TraceHash);
        long bytes = recording.Frames.Sum(frame => frame.Bytes.Length);

        // What the last milliseconds sent is still in the air.
        Assert.InRange(recording.Frames.Count, watched.FramesOnAir - 10, watched.FramesOnAir);
        Assert.InRange(bytes, watched.BytesOnAir - 2_500, watched.BytesOnAir);
        Assert.Equal((watched.Sent, watched.Delivered), (recording.Readings, recording.Arrivals));
        Assert.Equal(scenario.Faults, recording.Faults.Select(entry => entry.Fault));
    }
}
