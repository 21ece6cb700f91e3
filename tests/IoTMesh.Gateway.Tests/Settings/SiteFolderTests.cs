using IoTMesh.Gateway.Site;

namespace IoTMesh.Gateway.Tests.Settings;

public sealed class SiteFolderTests : IDisposable
{
    private readonly DirectoryInfo _parent = Directory.CreateTempSubdirectory("iotmesh-site-");

    private string Folder => Path.Combine(_parent.FullName, "a", "site");

    [Fact]
    public void A_new_site_has_a_secret_of_its_own_that_stays()
    {
        SiteFolder first = SiteFolder.Open(Folder);
        SiteFolder second = SiteFolder.Open(Folder);
        Assert.True(first.IsNew);
        Assert.False(second.IsNew);
        Assert.Equal(first.Secret, second.Secret);
        Assert.NotEqual(first.Secret, SiteFolder.Open(Folder + "2").Secret);
    }

    [Fact]
    public void A_secret_that_others_can_read_is_refused()
    {
        SiteFolder.Open(Folder);
        if (OperatingSystem.IsWindows())
        {
            return;
        }

        string file = Path.Combine(Folder, "site.secret");
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(file));
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute, File.GetUnixFileMode(Folder));
        File.SetUnixFileMode(file, UnixFileMode.UserRead | UnixFileMode.GroupRead);
        Assert.Contains("chmod 600", Assert.Throws<SiteException>(() => SiteFolder.Open(Folder)).Message);
    }

    [Fact]
    public void A_damaged_secret_is_never_replaced()
    {
        SiteFolder.Open(Folder);
        string file = Path.Combine(Folder, "site.secret");
        File.WriteAllText(file, "short");
        Assert.Contains("backup", Assert.Throws<SiteException>(() => SiteFolder.Open(Folder)).Message);
        Assert.Equal("short", File.ReadAllText(file));
    }

    [Fact]
    public void A_folder_serves_one_gateway()
    {
        SiteFolder site = SiteFolder.Open(Folder);
        using (site.Lock())
        {
            Assert.Contains("another gateway", Assert.Throws<SiteException>(() => site.Lock()).Message);
        }

        site.Lock().Dispose();
    }

    [Fact]
    public void Device_ids_and_names_follow_from_secret_address_and_name()
    {
        byte[] secret = new byte[32];
        var roof = Registry.CreateDevice(secret, 7, "Roof (north)", []);
        Assert.Equal(("roof-north", "Roof (north)", 16), (roof.Id, roof.Name, roof.DeviceId.Length));
        Assert.Equal(roof.DeviceId, Registry.CreateDevice(secret, 7, null, []).DeviceId);
        Assert.Equal("node-8", Registry.CreateDevice(secret, 8, "Roof north", [roof]).Id);
    }

    public void Dispose()
    {
        _parent.Delete(recursive: true);
    }
}
