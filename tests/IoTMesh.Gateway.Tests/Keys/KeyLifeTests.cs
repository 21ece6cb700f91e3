using System.Text;
using System.Text.Json;
using IoTMesh.Core;
using IoTMesh.Gateway.Site;
using IoTMesh.Gateway.Tests.Bridge;
using IoTMesh.Mqtt;

namespace IoTMesh.Gateway.Tests.Keys;

/// <summary>The life of keys with real processes: enrolled, joined, changed, changed over a restart, revoked; and never told to anyone.</summary>
public sealed class KeyLifeTests : IDisposable
{
    private const ushort Stolen = 4;
    private readonly ProcessSite _site = new();

    [Fact]
    public async Task Devices_enroll_join_and_change_keys_without_losing_a_reading_and_a_revoked_one_is_shut_out()
    {
        foreach (ushort address in (ushort[])[2, 3, Stolen])
        {
            await _site.RunAsync("enroll", $"{address}", "--out", _site.File($"{address}.conf"));
            Assert.DoesNotContain("network_key", File.ReadAllText(_site.File($"{address}.conf")));
        }

        _site.StartAir(Stolen + 1);
        await _site.StartGatewayAsync();
        await using var mqtt = new StateCollector(_site.MqttPort, "#");
        await mqtt.StartAsync();
        for (ushort address = 2; address <= Stolen; address++)
        {
            _site.StartNode(address);
        }

        await _site.MoreAsync(Stolen);
        Assert.Contains("node-4: joined over node-3", string.Concat(_site.Outputs));

        await RefuseAsync();
        string changed = await _site.RunAsync("rotate-keys", "--wait");
        Assert.Contains("network key 2 is in use", changed);
        Assert.Contains("3 of 3 devices were told before", changed);
        await MoreOfAllAsync();

        await ChangeOverRestartAsync();

        await _site.RunAsync("revoke", "node-4", "--yes");
        await ProcessSite.EventuallyAsync(async () => EpochOf(await _site.KeysAsync()) == 4, "the change after the revocation");
        Assert.Equal(2, (await _site.KeysAsync()).GetProperty("devices").GetInt32());
        int stolen = (await _site.ReadingsAsync(Stolen)).Count;
        await _site.MoreAsync(2, 5);
        Assert.Equal(stolen, (await _site.ReadingsAsync(Stolen)).Count);
        foreach (ushort address in (ushort[])[2, 3])
        {
            IReadOnlyList<long> readings = await _site.ReadingsAsync(address);
            Assert.Equal(readings.Count, readings.Distinct().Count());
            Assert.All(readings.GroupBy(r => r >> 32), boot => Assert.Equal(Enumerable.Range(1, boot.Count()), boot.Select(r => (int)r)));
        }

        await CheckAuditAsync();
        await CheckSecretsAsync(mqtt);
    }

    public void Dispose()
    {
        _site.Dispose();
    }

    // A board with the keys of node 4 and another address: nobody enrolled that.
    private async Task RefuseAsync()
    {
        string settings = await File.ReadAllTextAsync(_site.File("4.conf"));
        await File.WriteAllTextAsync(_site.File("5.conf"), settings.Replace("address = 4", "address = 5", StringComparison.Ordinal));
        _site.StartNode(Stolen + 1);
        await Eventually.HoldsAsync(
            () => string.Concat(_site.Outputs).Contains("warning address 5: refused to join over node-4: not enrolled", StringComparison.Ordinal),
            "the refusal names device and proxy");
        _site.KillNode(Stolen + 1);
    }

    // Node 3 is away while the key is to be changed, and so node 4 behind it: the gateway dies waiting, and goes on.
    private async Task ChangeOverRestartAsync()
    {
        _site.KillNode(3);
        await _site.RunAsync("rotate-keys");
        await ProcessSite.EventuallyAsync(
            async () => (await _site.KeysAsync()).GetProperty("changing").GetBoolean()
                && Missing(await _site.KeysAsync()) is ["node-3", "node-4"] or ["node-3"],
            "node 2 has the key and node 3 has not");
        _site.KillGateway();
        Assert.Contains("waiting for node-3", await _site.RunAsync("rotate-keys", "--status"));
        await _site.StartGatewayAsync();
        Assert.True((await _site.KeysAsync()).GetProperty("changing").GetBoolean());
        _site.StartNode(3);
        await ProcessSite.EventuallyAsync(async () => EpochOf(await _site.KeysAsync()) == 3, "the change goes on after the restart");
        Assert.Empty(Missing(await _site.KeysAsync()));
        await MoreOfAllAsync();
    }

    private async Task MoreOfAllAsync()
    {
        for (ushort address = 2; address <= Stolen; address++)
        {
            await _site.MoreAsync(address);
        }
    }

    private async Task CheckAuditAsync()
    {
        string[] lines = (await _site.RunAsync("audit", "--json")).Split('\n', StringSplitOptions.RemoveEmptyEntries);
        List<string> entries = [.. lines.Select(l => JsonDocument.Parse(l).RootElement).Select(e =>
            $"{e.GetProperty("what").GetString()} {e.GetProperty("target").GetString()}")];
        string[] expected =
        [
            "enroll node-2", "join node-3", "join address 5", "rotate-keys network key", "rotate-keys network key 3", "revoke node-4",
        ];
        Assert.All(expected, e => Assert.Contains(e, entries));
    }

    private async Task CheckSecretsAsync(StateCollector mqtt)
    {
        var texts = _site.Outputs.Concat(mqtt.Messages.Select(StateCollector.Text)).ToList();
        foreach (string path in (string[])["nodes", "keys", "audit", "events", "topology", "gateway"])
        {
            texts.Add(await _site.Http.GetStringAsync("api/v1/" + path));
        }

        texts.Add(await _site.Http.GetStringAsync("metrics"));
        Assert.True(mqtt.Messages.Count > 10);
        IEnumerable<string> files = Directory.GetFiles(_site.Data, "*", SearchOption.AllDirectories);
        foreach (string file in files.Where(f => Path.GetFileName(f) is not ("site.key" or "gateway.lock")))
        {
            using var stream = new FileStream(file, FileMode.Open, FileAccess.Read, FileShare.ReadWrite);
            var bytes = new byte[stream.Length];
            stream.ReadExactly(bytes);
            texts.Add(Encoding.Latin1.GetString(bytes));
        }

        List<byte[]> secrets = Secrets();
        string everything = string.Join('\n', texts);
        foreach (string form in secrets.SelectMany(Forms))
        {
            Assert.False(everything.Contains(form, StringComparison.OrdinalIgnoreCase), "a secret was told or stored plain");
        }
    }

    private List<byte[]> Secrets()
    {
        SiteFolder folder = SiteFolder.Open(_site.Data, create: false);
        List<byte[]> secrets = [folder.Secret, SecretFile.Read(Path.Combine(_site.Data, SiteFolder.OwnerSecretName), folder.Box)];
        secrets.AddRange(Enumerable.Range(1, 4).Select(e => SiteKeys.CreateNetworkKey(new PlatformCrypto(), folder.Secret, (uint)e)));
        secrets.AddRange(Enumerable.Range(2, 3).Select(a => Convert.FromHexString(
            File.ReadLines(_site.File($"{a}.conf")).First(l => l.StartsWith("device_key", StringComparison.Ordinal)).Split('=')[1].Trim())));
        secrets.Add(Convert.FromHexString(File.ReadAllText(Path.Combine(_site.Data, SecretBox.KeyFileName)).Trim()));
        Assert.Equal(10, secrets.Select(Convert.ToHexString).Distinct().Count());
        return secrets;
    }

    // The last characters of base32 and base64 depend on what follows, so a little less than all of them is looked for.
    private static IEnumerable<string> Forms(byte[] secret)
    {
        yield return Convert.ToHexString(secret);
        yield return Convert.ToHexString(secret.Reverse().ToArray());
        yield return Convert.ToBase64String(secret)[..20];
        yield return Convert.ToBase64String(secret).Replace('+', '-').Replace('/', '_')[..20];
        yield return Base32(secret)[..24];
        yield return Encoding.Latin1.GetString(secret);
    }

    private static string Base32(byte[] bytes)
    {
        const string Alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
        string bits = string.Concat(bytes.Select(b => Convert.ToString(b, 2).PadLeft(8, '0')));
        return string.Concat(bits.Chunk(5).Where(c => c.Length == 5).Select(c => Alphabet[Convert.ToInt32(new string(c), 2)]));
    }

    private static long EpochOf(JsonElement keys)
    {
        return keys.GetProperty("epoch").GetInt64();
    }

    private static string[] Missing(JsonElement keys)
    {
        return [.. keys.GetProperty("missing").EnumerateArray().Select(m => m.GetString()!)];
    }
}
