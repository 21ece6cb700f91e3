using System.Diagnostics;
using System.Net;
using System.Net.Sockets;

namespace IoTMesh.Gateway.Tests.Bridge;

/// <summary>Marks a test that needs the real mosquitto; skipped with the reason where it is absent.</summary>
public sealed class MosquittoFactAttribute : FactAttribute
{
    public MosquittoFactAttribute()
    {
        if (Mosquitto.Find("mosquitto") is null)
        {
            Skip = "needs mosquitto, which is not on the PATH";
        }
    }
}

/// <summary>A mosquitto of the test's own, on a free port of the loopback address.</summary>
public sealed class Mosquitto : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("iotmesh-mosquitto-");
    private Process? _process;

    public Mosquitto()
    {
        Port = FreePort();
        File.WriteAllText(
            Path.Combine(_folder.FullName, "m.conf"), $"listener {Port} 127.0.0.1\nallow_anonymous true\npersistence false\nmax_queued_messages 0\n");
    }

    public int Port { get; }

    public static string? Find(string program)
    {
        IEnumerable<string> folders = (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator).Append("/usr/sbin");
        return folders.Select(f => Path.Combine(f, program)).FirstOrDefault(File.Exists);
    }

    public static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }

    public async Task StartAsync()
    {
        var start = new ProcessStartInfo(Find("mosquitto")!, ["-c", Path.Combine(_folder.FullName, "m.conf")])
        {
            RedirectStandardError = true,
            RedirectStandardOutput = true,
        };
        _process = Process.Start(start)!;
        _process.BeginErrorReadLine();
        _process.BeginOutputReadLine();
        for (int i = 0; i < 200; i++)
        {
            try
            {
                using var probe = new TcpClient();
                await probe.ConnectAsync(IPAddress.Loopback, Port);
                return;
            }
            catch (SocketException)
            {
                await Task.Delay(25);
            }
        }

        throw new TimeoutException("mosquitto did not start");
    }

    /// <summary>As kill -9 does.</summary>
    public void Kill()
    {
        _process?.Kill();
        _process?.WaitForExit();
        _process?.Dispose();
        _process = null;
    }

    public void Dispose()
    {
        Kill();
        _folder.Delete(recursive: true);
    }
}
