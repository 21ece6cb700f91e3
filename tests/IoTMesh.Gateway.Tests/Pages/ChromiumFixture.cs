namespace IoTMesh.Gateway.Tests.Pages;

/// <summary>One browser for all tests of a class; none where Chromium is absent.</summary>
public sealed class ChromiumFixture : IAsyncLifetime
{
    private Chromium? _browser;

    public Chromium Browser => _browser ?? throw new InvalidOperationException("no Chromium on the PATH");

    public async Task InitializeAsync() => _browser = Chromium.ProgramPath is null ? null : await Chromium.StartAsync();

    public async Task DisposeAsync()
    {
        if (_browser is not null)
        {
            await _browser.DisposeAsync();
        }
    }
}
