using System.IO;
using System.Text;
using IoTMesh.Core;

namespace IoTMesh.Node;

/// <summary>
/// What enrolment gives to one node, as a text file of <c>key = value</c> lines (<c>#</c> starts a comment). Keys and their
/// defaults are listed in <see cref="Write"/>'s output.
/// </summary>
public sealed class NodeSettings
{
    public const int DefaultAirPort = 17_700;
    public const int PeriodMaxSeconds = 3_600;
    public const int KeyLength = 16;

    /// <summary>Mesh address, 1 to 65519. Required.</summary>
    public ushort Address;

    /// <summary>64-bit device id. Required.</summary>
    public ulong DeviceId;

    /// <summary>Name for people, at most 32 bytes of UTF-8.</summary>
    public string Name = "";

    /// <summary>Tells the site's frames from others' on air. Required.</summary>
    public ushort NetworkId;

    /// <summary>16 bytes, or null: the node joins over any member (docs/protocol.md 8.7), which is how it is enrolled.</summary>
    public byte[] NetworkKey;

    /// <summary>Number of the network key.</summary>
    public uint Epoch;

    /// <summary>The device's own secret, 16 bytes. Required.</summary>
    public byte[] DeviceKey;

    /// <summary><see cref="PairwiseKeys.ShareLength"/> bytes. Required.</summary>
    public byte[] PairwiseShare;

    /// <summary>Host of the UDP radio (docs/protocol.md 11).</summary>
    public string AirHost = "127.0.0.1";

    public int AirPort = DefaultAirPort;

    /// <summary>Seconds between readings, 1 to <see cref="PeriodMaxSeconds"/>.</summary>
    public int PeriodSeconds = 10;

    /// <summary>Whether any node of the mesh may command this one; else gateways only.</summary>
    public bool AnyMayCommand;

    /// <summary>Names of the sensors, in the order in which they are read.</summary>
    public string[] Sensors = new string[] { "weather", "uptime", "memory" };

    /// <summary>Device: GPIO of the LED; -1 for none.</summary>
    public int LedPin = -1;

    /// <summary>Device: Wi-Fi network to reach the air through; empty for the one stored on the board.</summary>
    public string WifiSsid = "";

    public string WifiPassword = "";

    /// <summary>Reads a settings file.</summary>
    /// <param name="error">One line that says what is wrong where and what to do; null where all is well.</param>
    /// <returns>Null on an error.</returns>
    public static NodeSettings Load(string path, out string error)
    {
        string text;
        try
        {
            if (!File.Exists(path))
            {
                error = path + ": not found; create it with 'iotmesh enroll'";
                return null;
            }

            text = File.ReadAllText(path);
        }
        catch (System.Exception failure)
        {
            error = path + ": cannot be read (" + failure.Message + "); check the path and its permissions";
            return null;
        }

        return NodeSettingsParser.Parse(path, text, out error);
    }

    /// <summary>Reads the text of a settings file.</summary>
    /// <param name="file">Name for the message.</param>
    /// <param name="error">As that of <see cref="Load"/>.</param>
    public static NodeSettings Parse(string file, string text, out string error)
    {
        return NodeSettingsParser.Parse(file, text, out error);
    }

    /// <summary>The settings as text that <see cref="Load"/> reads. It holds secrets: keep the file private.</summary>
    public string Write()
    {
        StringBuilder text = new StringBuilder();
        text.Append("# Settings of one IoTMesh node. They hold its keys: whoever has them can act as this node.\n");
        Line(text, "address", Address.ToString());
        Line(text, "device", Hex.Write(DeviceId));
        Line(text, "name", Name);
        Line(text, "network_id", NetworkId.ToString());
        if (NetworkKey != null)
        {
            Line(text, "network_key", Hex.Write(NetworkKey));
            Line(text, "epoch", Epoch.ToString());
        }

        Line(text, "device_key", Hex.Write(DeviceKey));
        Line(text, "pairwise_share", Hex.Write(PairwiseShare));
        text.Append("\n# The radio: a UDP air (docs/protocol.md 11).\n");
        Line(text, "air_host", AirHost);
        Line(text, "air_port", AirPort.ToString());
        text.Append("\n# Seconds between readings (1 to 3600), and what is read.\n");
        Line(text, "period", PeriodSeconds.ToString());
        Line(text, "sensors", SensorList());
        text.Append("\n# Who may send commands: gateway, or any node of the mesh (any).\n");
        Line(text, "commands", AnyMayCommand ? NodeSettingsParser.CommandsAny : NodeSettingsParser.CommandsGateway);
        WriteBoard(text);
        return text.ToString();
    }

    private void WriteBoard(StringBuilder text)
    {
        if (LedPin < 0 && WifiSsid.Length == 0)
        {
            return;
        }

        text.Append("\n# The board.\n");
        if (LedPin >= 0)
        {
            Line(text, "led_pin", LedPin.ToString());
        }

        if (WifiSsid.Length > 0)
        {
            Line(text, "wifi_ssid", WifiSsid);
            Line(text, "wifi_password", WifiPassword);
        }
    }

    private string SensorList()
    {
        string list = "";
        for (int i = 0; i < Sensors.Length; i++)
        {
            list += i == 0 ? Sensors[i] : ", " + Sensors[i];
        }

        return list;
    }

    private static void Line(StringBuilder text, string key, string value)
    {
        text.Append(key);
        text.Append(" = ");
        text.Append(value);
        text.Append("\n");
    }
}
