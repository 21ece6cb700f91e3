#nullable enable

using System.Globalization;
using IoTMesh.Core;
using IoTMesh.Driver;

namespace IoTMesh.Node;

/// <summary>How a node process runs.</summary>
public sealed record NodeHostOptions
{
    /// <summary>Settings file of the node, see <see cref="NodeSettings"/>. Not read where <see cref="Settings"/> is given.</summary>
    public string? SettingsPath { get; init; }

    public NodeSettings? Settings { get; init; }

    /// <summary>Folder of the node's counters; by default <c>node-ADDRESS</c> beside the settings file. One node, one folder, for ever.</summary>
    public string? StorageFolder { get; init; }

    /// <summary>Host of the air, over that of the settings.</summary>
    public string? AirHost { get; init; }

    /// <summary>Port of the air, over that of the settings.</summary>
    public int? AirPort { get; init; }

    /// <summary>Seconds between readings, over that of the settings.</summary>
    public int? PeriodSeconds { get; init; }

    /// <summary>A line for each reading too.</summary>
    public bool IsVerbose { get; init; }

    public TextWriter Output { get; init; } = Console.Out;

    public TextWriter Error { get; init; } = Console.Error;
}

/// <summary>The firmware as an ordinary process: <c>iotmesh node</c>.</summary>
public static class NodeHost
{
    private const int WatchIntervalMs = 250;
    private const int AirGraceMs = 3_000;

    /// <summary>Runs the node until the token is cancelled.</summary>
    /// <returns>0, or 1 with one line on <see cref="NodeHostOptions.Error"/> where it cannot run.</returns>
    public static int Run(NodeHostOptions options, CancellationToken cancellation)
    {
        if (CryptoSelfTest.Run(new PlatformCrypto()) is { } wrong)
        {
            options.Error.WriteLine($"this machine's cryptography fails {wrong}; the node stays off the air");
            return 1;
        }

        NodeSettings? settings = LoadSettings(options);
        if (settings is null)
        {
            return 1;
        }

        string folder = options.StorageFolder
            ?? Path.Combine(Path.GetDirectoryName(Path.GetFullPath(options.SettingsPath ?? ".")) ?? ".", $"node-{settings.Address}");
        using FileStream? folderLock = LockFolder(folder, options.Error);
        if (folderLock is null)
        {
            return 1;
        }

        var log = new TextLog(options.Output, options.IsVerbose);
        bool isRebooting = true;
        while (isRebooting && !cancellation.IsCancellationRequested)
        {
            var storage = new FileStorage(folder);
            var link = new UdpAirLink(settings.Address, settings.AirHost, settings.AirPort, new SystemClock());
            using var reboot = new ManualResetEventSlim();
            using var node = new VirtualNode(settings, link, storage, log, reboot.Set);
            if (storage.IsDamaged)
            {
                options.Error.WriteLine(
                    $"{folder}: the node's counters are damaged; enroll it again with 'iotmesh enroll' (to reuse counters would break its keys)");
                return 1;
            }

            node.Start();
            isRebooting = Watch(node, link, storage, reboot, log, cancellation);
            node.Stop();
        }

        log.Write("stopped");
        return 0;
    }

    /// <summary>Reports what the node cannot tell itself, until it is to end (false) or to restart (true).</summary>
    private static bool Watch(
        VirtualNode node, UdpAirLink link, FileStorage storage, ManualResetEventSlim reboot, TextLog log, CancellationToken cancellation)
    {
        var registration = AirRegistration.Absent;
        string? storageError = null;
        int faults = 0;
        long startMs = Environment.TickCount64;
        bool isToldAbsent = false;
        while (!cancellation.WaitHandle.WaitOne(WatchIntervalMs))
        {
            if (reboot.IsSet)
            {
                return true;
            }

            AirRegistration now = link.Registration;
            if (now != registration || (now == AirRegistration.Absent && !isToldAbsent && Environment.TickCount64 - startMs > AirGraceMs))
            {
                isToldAbsent = now == AirRegistration.Absent;
                registration = now;
                log.Write(Describe(now, link));
            }

            if (storage.LastError != storageError)
            {
                storageError = storage.LastError;
                log.Write($"storage: {storageError}; the node cannot go on once its stored counters are used up");
            }

            int faultsNow = node.Driver.ApplicationFaults + node.Driver.DriverFaults;
            if (faultsNow != faults)
            {
                faults = faultsNow;
                log.Write($"defect {faults}: {node.Driver.LastFault?.GetType().Name}: {node.Driver.LastFault?.Message}; the node goes on");
            }
        }

        return false;
    }

    private static string Describe(AirRegistration registration, UdpAirLink link)
    {
        return registration switch
        {
            AirRegistration.Registered => $"on the air at {link.Air}",
            AirRegistration.UnknownAddress => $"the air at {link.Air} has no node of this address; give it a larger topology (iotmesh air --nodes)",
            AirRegistration.TableFull => $"the air at {link.Air} has no room for more nodes",
            _ => $"no air at {link.Air}; start one with 'iotmesh air' (trying on{(link.LastError is null ? "" : ": " + link.LastError)})",
        };
    }

    private static NodeSettings? LoadSettings(NodeHostOptions options)
    {
        NodeSettings? settings = options.Settings;
        string? error = "no settings; name a settings file, which 'iotmesh enroll' makes";
        if (settings is null && options.SettingsPath is not null)
        {
            settings = NodeSettings.Load(options.SettingsPath, out error);
        }

        if (settings is null)
        {
            options.Error.WriteLine(error);
            return null;
        }

        settings.AirHost = options.AirHost ?? settings.AirHost;
        settings.AirPort = options.AirPort ?? settings.AirPort;
        settings.PeriodSeconds = Math.Clamp(options.PeriodSeconds ?? settings.PeriodSeconds, 1, NodeSettings.PeriodMaxSeconds);
        return settings;
    }

    /// <summary>Two processes with the same counters would reuse nonces, so a folder serves one of them at a time.</summary>
    private static FileStream? LockFolder(string folder, TextWriter error)
    {
        try
        {
            Directory.CreateDirectory(folder);
            return new FileStream(Path.Combine(folder, "lock"), FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            error.WriteLine($"{folder}: cannot be used ({failure.Message}); another process runs this node, or choose another folder");
            return null;
        }
    }

    private sealed class TextLog(TextWriter output, bool isVerbose) : INodeLog
    {
        private readonly Lock _gate = new();

        public bool IsVerbose => isVerbose;

        public void Write(string line)
        {
            lock (_gate)
            {
                output.WriteLine(DateTime.Now.ToString("HH:mm:ss.fff ", CultureInfo.InvariantCulture) + line);
                output.Flush();
            }
        }
    }
}
