#nullable enable

using IoTMesh.Core;

namespace IoTMesh.Node;

/// <summary>
/// This machine as a board: its free memory, and as sensors its load (<c>load</c>) and the temperature of its processor
/// (<c>processor</c>), each where the system tells them. The LED is a line of the log.
/// </summary>
public sealed class HostBoard : IBoard
{
    private const string LoadFile = "/proc/loadavg";
    private const string MemoryFile = "/proc/meminfo";
    private const string ThermalFolder = "/sys/class/thermal";
    private const int BytesPerKilobyte = 1024;

    private readonly INodeLog? _log;
    private readonly Action? _reboot;
    private bool _led;

    /// <param name="log">Where the LED shows; null for nowhere.</param>
    /// <param name="reboot">Restarts the node from outside its driver's thread; null where it cannot be.</param>
    public HostBoard(INodeLog? log = null, Action? reboot = null)
    {
        _log = log;
        _reboot = reboot;
    }

    /// <summary>The sensors that make sense on this machine, for the settings of a new node.</summary>
    public static string[] DefaultSensors
    {
        get
        {
            List<string> names = ["weather", "uptime", "memory"];
            if (File.Exists(LoadFile))
            {
                names.Add("load");
            }

            if (FindThermalZone() is not null)
            {
                names.Add("processor");
            }

            return [.. names];
        }
    }

    public string Model => "virtual ESP32";

    public bool CanReboot => _reboot is not null;

    /// <summary>What Linux calls available; elsewhere what the runtime may still take.</summary>
    public long FreeMemoryBytes
    {
        get
        {
            if (TryReadFile(MemoryFile, out string text))
            {
                foreach (string line in text.Split('\n'))
                {
                    string[] words = line.Split(' ', StringSplitOptions.RemoveEmptyEntries);
                    if (words.Length > 1 && words[0] == "MemAvailable:" && long.TryParse(words[1], out long kilobytes))
                    {
                        return kilobytes * BytesPerKilobyte;
                    }
                }
            }

            GCMemoryInfo memory = GC.GetGCMemoryInfo();
            return Math.Max(0, memory.TotalAvailableMemoryBytes - memory.MemoryLoadBytes);
        }
    }

    public void SetLed(bool on)
    {
        if (on != _led)
        {
            _log?.Write(on ? "LED on" : "LED off");
        }

        _led = on;
    }

    public void Reboot()
    {
        _reboot?.Invoke();
    }

    public ISensor? CreateSensor(string name)
    {
        return name switch
        {
            "load" when File.Exists(LoadFile) => new LoadSensor(),
            "processor" when FindThermalZone() is { } zone => new ProcessorSensor(zone),
            _ => null,
        };
    }

    private static string? FindThermalZone()
    {
        if (!Directory.Exists(ThermalFolder))
        {
            return null;
        }

        return Directory.EnumerateDirectories(ThermalFolder, "thermal_zone*")
            .Order(StringComparer.Ordinal)
            .Select(folder => Path.Combine(folder, "temp"))
            .FirstOrDefault(path => TryReadFile(path, out string text) && int.TryParse(text, out _));
    }

    private static bool TryReadFile(string path, out string text)
    {
        try
        {
            text = File.Exists(path) ? File.ReadAllText(path) : "";
            return text.Length > 0;
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            text = "";
            return false;
        }
    }

    private sealed class LoadSensor : ISensor
    {
        public void Sample(long nowMs, ReadingWriter writer)
        {
            if (TryReadFile(LoadFile, out string text)
                && double.TryParse(text.Split(' ')[0], System.Globalization.CultureInfo.InvariantCulture, out double load))
            {
                writer.AddGeneric(ReadingChannel.Load, 2, (long)Math.Round(load * 100));
            }
        }
    }

    private sealed class ProcessorSensor(string path) : ISensor
    {
        public void Sample(long nowMs, ReadingWriter writer)
        {
            if (TryReadFile(path, out string text) && int.TryParse(text, out int milliCelsius))
            {
                writer.AddGeneric(ReadingChannel.ProcessorTemperature, 1, milliCelsius / 100);
            }
        }
    }
}
