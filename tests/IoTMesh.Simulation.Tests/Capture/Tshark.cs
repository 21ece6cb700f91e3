using System.Diagnostics;

namespace IoTMesh.Simulation.Tests.Capture;

/// <summary>A test that needs tshark; reported as skipped where it is not installed.</summary>
public sealed class TsharkFactAttribute : FactAttribute
{
    public TsharkFactAttribute()
    {
        if (Tshark.ProgramPath is null)
        {
            Skip = "needs tshark, which is not on the PATH";
        }
    }
}

/// <summary>Reads captures with tshark and the product's dissector.</summary>
internal static class Tshark
{
    private const char Column = '\t';
    private const char Row = '\n';

    internal static string? ProgramPath { get; } = (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator)
        .Select(folder => Path.Combine(folder, "tshark"))
        .FirstOrDefault(File.Exists);

    private static string Script { get; } = Path.Combine(FindRoot(), "hardware", "wireshark", "iotmesh.lua");

    /// <summary>One dictionary a packet: field to all its values, in order.</summary>
    /// <param name="decodeAs">For example <c>udp.port==5,iotmesh_air</c>.</param>
    internal static async Task<List<Dictionary<string, string[]>>> ReadAsync(string file, IReadOnlyList<string> fields)
    {
        List<string> arguments = ["-r", file, "-T", "fields", "-E", "occurrence=a", "-E", "aggregator=;"];
        foreach (string field in fields)
        {
            arguments.AddRange(["-e", field]);
        }

        string output = await RunAsync(arguments);
        return
        [
            .. output.TrimEnd(Row).Split(Row).Select(row => row.Split(Column))
                .Select(cells => fields.Select((field, i) => (field, Values: cells[i].Length == 0 ? [] : cells[i].Split(';')))
                    .ToDictionary(pair => pair.field, pair => pair.Values)),
        ];
    }

    /// <summary>What it prints. Fails where it or the dissector complains.</summary>
    internal static async Task<string> RunAsync(IEnumerable<string> arguments)
    {
        var start = new ProcessStartInfo(ProgramPath!) { RedirectStandardOutput = true, RedirectStandardError = true };
        start.ArgumentList.Add("-X");
        start.ArgumentList.Add($"lua_script:{Script}");
        foreach (string argument in arguments)
        {
            start.ArgumentList.Add(argument);
        }

        // A folder of its own, so that nobody's plugins or preferences matter.
        string home = Directory.CreateTempSubdirectory("iotmesh-tshark-").FullName;
        start.Environment["HOME"] = home;
        start.Environment["XDG_CONFIG_HOME"] = home;
        try
        {
            using Process process = Process.Start(start)!;
            Task<string> error = process.StandardError.ReadToEndAsync();
            string output = await process.StandardOutput.ReadToEndAsync().WaitAsync(TimeSpan.FromSeconds(120));
            await process.WaitForExitAsync();
            string[] complaints = [.. (await error).Split(Row).Where(line => line.Length > 0 && !line.Contains("as user", StringComparison.Ordinal))];
            Assert.True(process.ExitCode == 0 && complaints.Length == 0, string.Join("; ", complaints));
            Assert.DoesNotContain("Lua Error", output);
            return output;
        }
        finally
        {
            Directory.Delete(home, recursive: true);
        }
    }

    private static string FindRoot()
    {
        string? folder = AppContext.BaseDirectory;
        while (folder is not null && !File.Exists(Path.Combine(folder, "IoTMesh.sln")))
        {
            folder = Path.GetDirectoryName(folder);
        }

        return folder ?? throw new InvalidOperationException("IoTMesh.sln is in no folder above the test");
    }
}
