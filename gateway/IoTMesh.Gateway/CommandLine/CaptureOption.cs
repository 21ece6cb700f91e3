using System.CommandLine;
using IoTMesh.Simulation;

namespace IoTMesh.Gateway.CommandLine;

/// <summary>The option <c>--pcap</c> of the commands that run in real time.</summary>
internal static class CaptureOption
{
    private const string Name = "--pcap";

    internal static Option<string?> Create(string what) => new(Name)
    {
        Description = $"Writes {what} for Wireshark (hardware/wireshark/iotmesh.lua).",
        HelpName = "OUT.pcapng",
    };

    /// <summary>Null where the option was not given.</summary>
    /// <exception cref="CommandFailure">The file cannot be written.</exception>
    internal static LiveCapture? Open(string? path, string name, string description)
    {
        return path is null ? null : new LiveCapture(OutputFile.Create(Name, path), name, description);
    }

    /// <summary>Closes it and says what is in it.</summary>
    internal static void Close(LiveCapture? capture, string? path)
    {
        if (capture is null)
        {
            return;
        }

        capture.Dispose();
        string leftOut = capture.LeftOut > 0 ? $", {capture.LeftOut} left out" : "";
        string problem = capture.Problem is { } why ? $" ({why})" : "";
        Console.WriteLine($"capture: {capture.Frames} frames in {path}{leftOut}{problem}");
    }
}
