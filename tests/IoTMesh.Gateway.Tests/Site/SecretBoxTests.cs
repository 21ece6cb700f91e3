using IoTMesh.Gateway.Site;

namespace IoTMesh.Gateway.Tests.Site;

public sealed class SecretBoxTests : IDisposable
{
    private const string Plain = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("iotmesh-box-");

    private string Folder => _folder.FullName;

    private string File(string name) => Path.Combine(Folder, name);

    [Fact]
    public void What_is_sealed_opens_with_its_key_and_name_only()
    {
        SecretBox box = SecretBox.Open(Folder, null, mayCreate: true);
        byte[] secret = [1, 2, 3, 4];
        byte[] sealedSecret = box.Seal(secret, "one");
        Assert.Equal(secret, SecretBox.Open(Folder, null, mayCreate: false).Open(sealedSecret, "one"));
        Assert.NotEqual(sealedSecret, box.Seal(secret, "one"));
        Assert.Contains("damaged", Assert.Throws<SiteException>(() => box.Open(sealedSecret, "two")).Message);
        for (int i = 0; i < sealedSecret.Length; i++)
        {
            byte[] changed = [.. sealedSecret];
            changed[i] ^= 1;
            Assert.Throws<SiteException>(() => box.Open(changed, "one"));
        }

        SecretBox other = SecretBox.Open(Folder, File("other.key"), mayCreate: true);
        Assert.Contains("another key", Assert.Throws<SiteException>(() => other.Open(sealedSecret, "one")).Message);
    }

    [Fact]
    public void A_key_that_is_missing_open_to_others_or_no_key_is_one_clear_line()
    {
        Check("is missing", () => SecretBox.Open(Folder, File("no.key"), mayCreate: false));
        System.IO.File.WriteAllText(File("short.key"), "abc");
        if (!OperatingSystem.IsWindows())
        {
            System.IO.File.SetUnixFileMode(File("short.key"), UnixFileMode.UserRead);
        }

        Check("is no key", () => SecretBox.Open(Folder, File("short.key"), mayCreate: false));
        SecretBox.Open(Folder, null, mayCreate: true);
        if (!OperatingSystem.IsWindows())
        {
            System.IO.File.SetUnixFileMode(File("site.key"), UnixFileMode.UserRead | UnixFileMode.OtherRead);
            Check("chmod 600", () => SecretBox.Open(Folder, null, mayCreate: false));
        }
    }

    [Fact]
    public void A_plain_secret_of_an_earlier_version_is_sealed_in_its_place_and_stays_the_same()
    {
        System.IO.File.WriteAllText(File("site.secret"), Plain + "\n");
        if (!OperatingSystem.IsWindows())
        {
            System.IO.File.SetUnixFileMode(File("site.secret"), UnixFileMode.UserRead | UnixFileMode.UserWrite);
        }

        SiteFolder first = SiteFolder.Open(Folder);
        Assert.Equal(Plain, Convert.ToHexStringLower(first.Secret));
        Assert.StartsWith("sealed:", System.IO.File.ReadAllText(File("site.secret")));
        SiteFolder second = SiteFolder.Open(Folder);
        Assert.Equal(first.Secret, second.Secret);

        // Its keys between nodes derive from the site's secret as before.
        Assert.False(System.IO.File.Exists(File("owner.secret")));
        Assert.Equal(Core.PairwiseKeys.CreateShare(new Core.PlatformCrypto(), first.Secret, 7), second.CreateShare(7));
    }

    [Fact]
    public void A_sealed_site_is_not_given_a_new_key()
    {
        SiteFolder.Open(Folder);
        System.IO.File.Delete(File("site.key"));
        Check("is missing", () => SiteFolder.Open(Folder));
        Assert.False(System.IO.File.Exists(File("site.key")));
    }

    [Fact]
    public void Without_the_owners_secret_the_gateway_has_its_own_share_and_no_others()
    {
        SiteFolder site = SiteFolder.Open(Folder);
        byte[] own = site.GatewayShare(1);
        byte[] seventh = site.CreateShare(7);
        Assert.NotEqual(Core.PairwiseKeys.CreateShare(new Core.PlatformCrypto(), site.Secret, 1), own);

        string away = File("kept elsewhere");
        System.IO.File.Move(File("owner.secret"), away);
        SiteFolder without = SiteFolder.Open(Folder);
        Assert.False(without.CanEnroll);
        Assert.Equal(own, without.GatewayShare(1));
        Check("--owner", () => without.CreateShare(7));
        Check("no share for address 2", () => without.GatewayShare(2));

        SiteFolder with = SiteFolder.Open(Folder, ownerFile: away);
        Assert.Equal(seventh, with.CreateShare(7));
        string another = File("another");
        System.IO.File.WriteAllText(another, Plain);
        if (!OperatingSystem.IsWindows())
        {
            System.IO.File.SetUnixFileMode(another, UnixFileMode.UserRead);
        }

        Check("of another site", () => SiteFolder.Open(Folder, ownerFile: another));
    }

    public void Dispose()
    {
        _folder.Delete(recursive: true);
    }

    private static void Check(string expected, Func<object> act)
    {
        string message = Assert.Throws<SiteException>(act).Message;
        Assert.Contains(expected, message);
        Assert.DoesNotContain('\n', message);
    }
}
