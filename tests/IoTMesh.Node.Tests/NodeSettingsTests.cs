using IoTMesh.Core;
using IoTMesh.Driver.Tests.Bench;

namespace IoTMesh.Node.Tests;

public sealed class NodeSettingsTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("iotmesh-settings-").FullName;
    private readonly NodeSettings _settings = TestSettings.Create(new TestSite(), 17);

    private string FilePath => Path.Combine(_folder, "node.conf");

    public void Dispose()
    {
        Directory.Delete(_folder, true);
    }

    [Fact]
    public void Written_settings_are_read_back()
    {
        _settings.Epoch = 3;
        _settings.AirHost = "air.example";
        _settings.AirPort = 23_001;
        _settings.Sensors = ["weather", "load"];
        _settings.LedPin = 2;
        _settings.AnyMayCommand = true;
        _settings.WifiSsid = "my net = good";
        _settings.WifiPassword = "pass # word";
        NodeSettings copy = Load(_settings.Write())!;
        Assert.Equal(_settings.Write(), copy.Write());
        Assert.Equal("Küche 17", copy.Name);
        Assert.Equal(0x0123456789ABCD11u, copy.DeviceId);
        Assert.Equal(_settings.PairwiseShare, copy.PairwiseShare);
        Assert.Equal(["weather", "load"], copy.Sensors);
        Assert.Equal("my net = good", copy.WifiSsid);
        Assert.Equal(2, copy.LedPin);
        Assert.True(copy.AnyMayCommand);
    }

    [Fact]
    public void Windows_line_ends_comments_blank_lines_and_order_do_not_matter()
    {
        string[] lines = _settings.Write().Split('\n', StringSplitOptions.RemoveEmptyEntries);
        string text = "# comment\r\n\r\n" + string.Join("\r\n   ", lines.Reverse());
        Assert.Equal(_settings.Write(), Load(text)!.Write());
    }

    [Fact]
    public void Options_have_defaults_and_a_node_without_a_name_gets_one()
    {
        string[] required = ["address", "device", "network_id", "device_key", "pairwise_share"];
        string text = string.Join('\n', _settings.Write().Split('\n').Where(line => required.Contains(line.Split(' ')[0])));
        NodeSettings copy = Load(text)!;
        Assert.Equal("Node 17", copy.Name);
        Assert.False(copy.AnyMayCommand);
        Assert.Equal(("127.0.0.1", 17_700, 10, 0), (copy.AirHost, copy.AirPort, copy.PeriodSeconds, (int)copy.Epoch));
        Assert.Equal(["weather", "uptime", "memory"], copy.Sensors);
    }

    [Theory]
    [InlineData("address", "address = 0", "line 2: address is '0'; write a number from 1 to 65519")]
    [InlineData("address", "address = 65520", "line 2: address is '65520'; write a number from 1 to 65519")]
    [InlineData("address", "address = kitchen", "line 2: address is 'kitchen'; write a number from 1 to 65519")]
    [InlineData("address", "address = ", "line 2: address is ''; write a number from 1 to 65519")]
    [InlineData("address", "address 17", "line 2: not 'key = value'; write it so, or put # in front")]
    [InlineData("address", "= 17", "line 2: not 'key = value'; write it so, or put # in front")]
    [InlineData("address", "adress = 17", "line 2: unknown key 'adress'; the keys are address, device, name,")]
    [InlineData("address", "address = 17\naddress = 18", "line 3: address stands twice; remove one")]
    [InlineData("device", "device = 12", "line 3: device is not 16 hexadecimal digits (it has 2 characters); copy the line again")]
    [InlineData("network_key", "network_key = zz", "line 6: network_key is not 32 hexadecimal digits (it has 2 characters); copy the line again")]
    [InlineData("epoch", "epoch = -1", "line 7: epoch is '-1'; write a number from 0 to 2147483647")]
    [InlineData("network_id", "network_id = 65536", "line 5: network_id is '65536'; write a number from 0 to 65535")]
    [InlineData("network_id", "", "network_id is missing")]
    [InlineData("commands", "commands = all", "commands is 'all'; write 'gateway' or 'any'")]
    [InlineData("period", "period = 0", "period is '0'; write a number from 1 to 3600")]
    [InlineData("air_port", "air_port = 70000", "air_port is '70000'; write a number from 1 to 65535")]
    [InlineData("air_host", "air_host =", "air_host is empty; write the host name or IPv4 address of the air")]
    [InlineData("sensors", "sensors = weather,,load", "sensors has an empty name; separate names by one comma")]
    [InlineData("sensors", "sensors = a,b,c,d,e,f,g,h,i", "sensors names more than 8; remove some")]
    [InlineData("name", "name = ABCDEFGHIJKLMNOPQRSTUVWXYZABCDEFG", "line 4: name is longer than 32 bytes; shorten it")]
    [InlineData("pairwise_share", "", "pairwise_share is missing; enroll the node with 'iotmesh enroll', which writes every key")]
    public void Error_names_file_line_key_and_what_to_do(string key, string line, string expected)
    {
        IEnumerable<string> lines = _settings.Write().Split('\n')
            .Select(old => old.StartsWith(key + " =", StringComparison.Ordinal) ? line : old);
        string text = string.Join('\n', lines);
        File.WriteAllText(FilePath, text);
        Assert.Null(NodeSettings.Load(FilePath, out string error));
        Assert.StartsWith(FilePath, error, StringComparison.Ordinal);
        Assert.Contains(expected, error, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', error);
    }

    [Fact]
    public void Error_never_shows_a_key()
    {
        string secret = Convert.ToHexString(_settings.NetworkKey).ToLowerInvariant();
        File.WriteAllText(FilePath, _settings.Write().Replace(secret, secret + "00", StringComparison.Ordinal));
        Assert.Null(NodeSettings.Load(FilePath, out string error));
        Assert.DoesNotContain(secret, error, StringComparison.Ordinal);
    }

    [Fact]
    public void Missing_file_is_one_clear_line()
    {
        Assert.Null(NodeSettings.Load(FilePath, out string error));
        Assert.Equal(FilePath + ": not found; create it with 'iotmesh enroll'", error);
        Assert.Null(NodeSettings.Load(_folder, out error));
        Assert.StartsWith(_folder, error, StringComparison.Ordinal);
    }

    [Fact]
    public void Damaged_text_never_throws()
    {
        var random = new Random(3);
        string text = _settings.Write();
        for (int round = 0; round < 500; round++)
        {
            char[] damaged = text.ToCharArray();
            for (int i = 0; i < 3; i++)
            {
                damaged[random.Next(200)] = (char)random.Next(1, 300);
            }

            File.WriteAllText(FilePath, new string(damaged));
            NodeSettings settings = NodeSettings.Load(FilePath, out string error);
            Assert.True(settings is null != error is null);
        }
    }

    private NodeSettings? Load(string text)
    {
        File.WriteAllText(FilePath, text);
        NodeSettings settings = NodeSettings.Load(FilePath, out string error);
        Assert.Null(error);
        return settings;
    }
}
