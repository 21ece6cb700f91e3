using IoTMesh.Gateway.Site;
using IoTMesh.Gateway.Tests.CommandLine;

namespace IoTMesh.Gateway.Tests.Keys;

/// <summary><c>iotmesh enroll</c> from outside: secrets, labels, a second registry, and an owner's secret that is kept away.</summary>
public sealed class EnrollCommandTests : IDisposable
{
    private readonly ProcessSite _site = new();

    [Fact]
    public async Task A_label_is_taken_by_another_registry_of_the_same_site_and_by_no_other()
    {
        string label = _site.File("label.svg");
        string shown = await _site.RunAsync("enroll", "7", "--name", "Roof <north>", "--out", _site.File("7.conf"), "--label", label, "--show");
        Assert.Contains("█", shown);
        Assert.Contains("Roof &lt;north&gt;, address 7", File.ReadAllText(label));
        await _site.RunAsync("enroll", "7", "--out", _site.File("7b.conf"), "--label", _site.File("label.png"));
        Assert.Equal("PNG"u8.ToArray(), File.ReadAllBytes(_site.File("label.png"))[1..4]);
        Assert.Equal(File.ReadAllText(_site.File("7.conf")), File.ReadAllText(_site.File("7b.conf")));

        SiteFolder site = SiteFolder.Open(_site.Data, create: false);
        string key = ValueOf(_site.File("7.conf"), "device_key");
        string device = ValueOf(_site.File("7.conf"), "device");
        string text = new DeviceLabel(DeviceLabel.SiteIdOf(site.Secret), 7, device, Convert.FromHexString(key)).Write();
        string second = _site.File("second");
        Directory.CreateDirectory(second);
        foreach (string name in (string[])["site.secret", "owner.secret", "site.key"])
        {
            File.Copy(Path.Combine(_site.Data, name), Path.Combine(second, name));
        }

        (int code, string output, string error) = await Iotmesh.RunAsync(
            "enroll", "--from-label", text, "--data", second, "--out", _site.File("7c.conf"));
        Assert.Equal((0, ""), (code, error));
        Assert.Contains("node-7 (address 7, device " + device + "): enrolled", output);
        Assert.Contains("device_key = " + key, File.ReadAllText(_site.File("7c.conf")));

        await Iotmesh.RunAsync("enroll", "9", "--data", _site.File("other"), "--out", _site.File("9.conf"));
        (code, _, error) = await Iotmesh.RunAsync("enroll", "--from-label", text, "--data", _site.File("other"));
        Assert.Equal(2, code);
        Assert.Contains("of another site", error);
        (code, _, error) = await Iotmesh.RunAsync("enroll", "--from-label", text[..^1], "--data", second);
        Assert.Equal(2, code);
        Assert.DoesNotContain(key[..^1], error);
    }

    [Fact]
    public async Task Each_device_has_a_secret_of_its_own_and_without_the_owners_secret_none_is_enrolled()
    {
        await _site.RunAsync("provision", "7", "--out", _site.File("7.conf"));
        await _site.RunAsync("enroll", "8", "--out", _site.File("8.conf"));
        SiteFolder site = SiteFolder.Open(_site.Data, create: false);
        string text = File.ReadAllText(_site.File("7.conf")) + File.ReadAllText(_site.File("8.conf"));
        byte[] derived = Core.SiteKeys.CreateDeviceKey(new Core.PlatformCrypto(), site.Secret, 7);
        Assert.DoesNotContain(Convert.ToHexStringLower(derived), text);

        site.GatewayShare(1);
        string away = _site.File("owner");
        File.Move(Path.Combine(_site.Data, SiteFolder.OwnerSecretName), away);
        (int code, _, string error) = await Iotmesh.RunAsync("enroll", "9", "--data", _site.Data, "--out", _site.File("9.conf"));
        Assert.Equal(2, code);
        Assert.Contains("--owner FILE", error);
        Assert.Equal(1, error.Count(c => c == '\n'));
        Assert.Contains("enrolled", await _site.RunAsync("enroll", "9", "--owner", away, "--out", _site.File("9.conf")));
    }

    [Theory]
    [InlineData("give an ADDRESS, or --from-label", "enroll")]
    [InlineData("--label: must end in .png or .svg", "enroll", "7", "--label", "x.jpg")]
    [InlineData("--name, --out and --label are for one address", "enroll", "2-3", "--label", "x.png")]
    [InlineData("--window: 0 to 8760 hours", "enroll", "7", "--window", "-1")]
    [InlineData("--from-label: is no label", "enroll", "--from-label", "iotmesh:1?s=1")]
    [InlineData("--minutes: 1 to 10080", "permit-join", "--minutes", "0")]
    [InlineData("no site here", "revoke", "7", "--yes")]
    [InlineData("no site here", "rotate-keys")]
    [InlineData("--since: must be", "audit", "--since", "yesterday-ish")]
    public async Task A_mistake_is_one_clear_line(string expected, params string[] args)
    {
        (int code, string output, string error) = await Iotmesh.RunAsync([.. args, "--data", _site.File("none")]);
        Assert.Contains(expected, error);
        Assert.Equal((2, "", 1), (code, output, error.Count(c => c == '\n')));
    }

    [Fact]
    public async Task A_window_opens_and_closes_beside_a_gateway_and_a_question_is_asked_before_a_revocation()
    {
        await _site.RunAsync("enroll", "7", "--window", "0", "--out", _site.File("7.conf"));
        Assert.Equal("open for 5 min: node-7\n", await _site.RunAsync("permit-join", "7", "--minutes", "5"));
        Assert.Equal("closed for node-7\n", await _site.RunAsync("permit-join", "all", "--close"));
        (int code, _, string error) = await Iotmesh.RunAsync("revoke", "8", "--data", _site.Data, "--yes");
        Assert.Equal((2, "iotmesh: no node 8 in this site\n"), (code, error));
        await _site.RunAsync("revoke", "7", "--yes");
        (code, _, error) = await Iotmesh.RunAsync("enroll", "7", "--data", _site.Data, "--out", _site.File("7.conf"));
        Assert.Equal(2, code);
        Assert.Contains("is revoked", error);
    }

    public void Dispose()
    {
        _site.Dispose();
    }

    private static string ValueOf(string file, string key)
    {
        return File.ReadLines(file).First(l => l.StartsWith(key + " =", StringComparison.Ordinal)).Split('=')[1].Trim();
    }
}
