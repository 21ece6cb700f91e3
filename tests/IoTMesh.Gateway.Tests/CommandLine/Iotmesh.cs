using System.Diagnostics;
using System.Text;

namespace IoTMesh.Gateway.Tests.CommandLine;

/// <summary>The built program as a process, as a person starts it.</summary>
internal sealed class Iotmesh : IDisposable
{
    private readonly Process _process;
    private readonly StringBuilder _output = new();
    private readonly StringBuilder _error = new();

    private Iotmesh(Process process)
    {
        _process = process;
        process.OutputDataReceived += (_, e) => Append(_output, e.Data);
        process.ErrorDataReceived += (_, e) => Append(_error, e.Data);
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
    }

    internal string Output => Read(_output);

    internal string Error => Read(_error);

    internal bool HasExited => _process.HasExited;

    internal static Iotmesh Start(params string[] args)
    {
        var start = new ProcessStartInfo("dotnet")
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            RedirectStandardInput = true,
            StandardOutputEncoding = Encoding.UTF8,
            WorkingDirectory = Path.GetTempPath(),
        };
        start.ArgumentList.Add(Path.Combine(AppContext.BaseDirectory, "iotmesh.dll"));
        Array.ForEach(args, start.ArgumentList.Add);
        return new Iotmesh(Process.Start(start)!);
    }

    /// <summary>Runs to the end: exit code, output and errors.</summary>
    internal static async Task<(int Code, string Output, string Error)> RunAsync(params string[] args)
    {
        using Iotmesh program = Start(args);
        int code = await program.WaitAsync();
        return (code, program.Output, program.Error);
    }

    internal async Task<int> WaitAsync(int timeoutMs = 60_000)
    {
        using var limit = new CancellationTokenSource(timeoutMs);
        await _process.WaitForExitAsync(limit.Token);
        return _process.ExitCode;
    }

    internal void Kill()
    {
        _process.Kill();
        _process.WaitForExit();
    }

    public void Dispose()
    {
        if (!_process.HasExited)
        {
            Kill();
        }

        _process.Dispose();
    }

    private static void Append(StringBuilder text, string? line)
    {
        lock (text)
        {
            if (line is not null)
            {
                text.Append(line).Append('\n');
            }
        }
    }

    private static string Read(StringBuilder text)
    {
        lock (text)
        {
            return text.ToString();
        }
    }
}
