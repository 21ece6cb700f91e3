using IoTMesh.Core;

namespace IoTMesh.Node;

/// <summary>Reads the text of a settings file. An error names the file, the line, the key and what to do, and never shows a secret.</summary>
internal sealed class NodeSettingsParser
{
    private const string KnownKeys =
        "address, device, name, network_id, network_key, epoch, device_key, pairwise_share, air_host, air_port, period, sensors, "
        + "commands, led_pin, wifi_ssid, wifi_password";

    internal const string CommandsGateway = "gateway";
    internal const string CommandsAny = "any";
    private const int MaxSensors = 8;
    private const int MaxLedPin = 48;
    private const int DeviceIdLength = 8;

    private readonly NodeSettings _settings = new NodeSettings();
    private string _seen = "|";
    private string _problem;

    internal static NodeSettings Parse(string file, string text, out string error)
    {
        NodeSettingsParser parser = new NodeSettingsParser();
        string[] lines = text.Split(new char[] { '\n' });
        for (int i = 0; i < lines.Length; i++)
        {
            string line = lines[i].Trim();
            if (line.Length > 0 && line[0] != '#' && !parser.TakeLine(line))
            {
                error = file + " line " + (i + 1).ToString() + ": " + parser._problem;
                return null;
            }
        }

        string missing = parser.FindMissing();
        if (missing != null)
        {
            error = file + ": " + missing + " is missing; enroll the node with 'iotmesh enroll', which writes every key";
            return null;
        }

        error = null;
        if (parser._settings.Name.Length == 0)
        {
            parser._settings.Name = "Node " + parser._settings.Address.ToString();
        }

        return parser._settings;
    }

    private bool TakeLine(string line)
    {
        int equals = line.IndexOf('=');
        if (equals <= 0)
        {
            return Fail("not 'key = value'; write it so, or put # in front");
        }

        string key = line.Substring(0, equals).Trim();
        string value = line.Substring(equals + 1).Trim();
        string mark = "|" + key + "|";
        if (_seen.IndexOf(mark) >= 0)
        {
            return Fail(key + " stands twice; remove one");
        }

        _seen += key + "|";
        return IsIdentity(key) ? TakeIdentity(key, value) : TakeOption(key, value);
    }

    private static bool IsIdentity(string key)
    {
        return key == "address" || key == "device" || key == "name" || key == "network_id" || key == "network_key" || key == "epoch"
            || key == "device_key" || key == "pairwise_share";
    }

    private bool TakeIdentity(string key, string value)
    {
        int number;
        switch (key)
        {
            case "address":
                bool isAddress = TakeNumber(key, value, 1, 0xFFEF, out number);
                _settings.Address = (ushort)number;
                return isAddress;
            case "epoch":
                bool isEpoch = TakeNumber(key, value, 0, int.MaxValue, out number);
                _settings.Epoch = (uint)number;
                return isEpoch;
            case "network_id":
                bool isNetwork = TakeNumber(key, value, 0, ushort.MaxValue, out number);
                _settings.NetworkId = (ushort)number;
                return isNetwork;
            case "name":
                _settings.Name = value;
                return FitsName(value) || Fail("name is longer than 32 bytes; shorten it");
            case "device":
                byte[] id;
                if (!TakeHex(key, value, DeviceIdLength, out id))
                {
                    return false;
                }

                for (int i = 0; i < DeviceIdLength; i++)
                {
                    _settings.DeviceId = (_settings.DeviceId << 8) | id[i];
                }

                return true;
            case "network_key":
                return TakeHex(key, value, NodeSettings.KeyLength, out _settings.NetworkKey);
            case "device_key":
                return TakeHex(key, value, NodeSettings.KeyLength, out _settings.DeviceKey);
            default:
                return TakeHex(key, value, PairwiseKeys.ShareLength, out _settings.PairwiseShare);
        }
    }

    private bool TakeOption(string key, string value)
    {
        switch (key)
        {
            case "air_host":
                _settings.AirHost = value;
                return value.Length > 0 || Fail("air_host is empty; write the host name or IPv4 address of the air");
            case "air_port":
                return TakeNumber(key, value, 1, 65_535, out _settings.AirPort);
            case "period":
                return TakeNumber(key, value, 1, NodeSettings.PeriodMaxSeconds, out _settings.PeriodSeconds);
            case "led_pin":
                return TakeNumber(key, value, 0, MaxLedPin, out _settings.LedPin);
            case "wifi_ssid":
                _settings.WifiSsid = value;
                return true;
            case "wifi_password":
                _settings.WifiPassword = value;
                return true;
            case "sensors":
                return TakeSensors(value);
            case "commands":
                _settings.AnyMayCommand = value == CommandsAny;
                return value == CommandsAny || value == CommandsGateway
                    || Fail("commands is '" + value + "'; write 'gateway' or 'any'");
            default:
                return Fail("unknown key '" + key + "'; the keys are " + KnownKeys);
        }
    }

    private bool TakeSensors(string value)
    {
        if (value.Length == 0)
        {
            _settings.Sensors = new string[0];
            return true;
        }

        string[] names = value.Split(new char[] { ',' });
        for (int i = 0; i < names.Length; i++)
        {
            names[i] = names[i].Trim();
            if (names[i].Length == 0)
            {
                return Fail("sensors has an empty name; separate names by one comma");
            }
        }

        _settings.Sensors = names;
        return names.Length <= MaxSensors || Fail("sensors names more than " + MaxSensors.ToString() + "; remove some");
    }

    private bool TakeNumber(string key, string value, int least, int most, out int number)
    {
        if (int.TryParse(value, out number) && number >= least && number <= most)
        {
            return true;
        }

        number = least;
        return Fail(key + " is '" + value + "'; write a number from " + least.ToString() + " to " + most.ToString());
    }

    private bool TakeHex(string key, string value, int length, out byte[] bytes)
    {
        bytes = Hex.Read(value, length);
        string wanted = (2 * length).ToString();
        return bytes != null
            || Fail(key + " is not " + wanted + " hexadecimal digits (it has " + value.Length.ToString() + " characters); copy the line again");
    }

    private string FindMissing()
    {
        return _settings.Address == 0 ? "address"
            : _seen.IndexOf("|device|") < 0 ? "device"
            : _seen.IndexOf("|network_id|") < 0 ? "network_id"
            : _settings.DeviceKey == null ? "device_key"
            : _settings.PairwiseShare == null ? "pairwise_share"
            : null;
    }

    internal static bool FitsName(string name)
    {
        return System.Text.Encoding.UTF8.GetBytes(name).Length <= NodeInfoCodec.MaxNameLength;
    }

    private bool Fail(string problem)
    {
        _problem = problem;
        return false;
    }
}
