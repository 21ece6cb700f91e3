using IoTMesh.Gateway.Live;
using Microsoft.AspNetCore.Components;
using Microsoft.AspNetCore.Components.Authorization;

namespace IoTMesh.Gateway.Pages;

/// <summary>A page that follows the mesh: renders on each change, but not more often than every 400 ms, and each second for the ages shown.</summary>
public abstract class LivePage : ComponentBase, IAsyncDisposable
{
    private const int RenderGapMs = 400;
    private const int TickMs = 1000;

    private readonly SemaphoreSlim _changed = new(0);
    private readonly CancellationTokenSource _leaving = new();
    private Task _following = Task.CompletedTask;
    private int _signalled;

    [Inject]
    public ILiveView Live { get; set; } = null!;

    [Inject]
    public TimeProvider Time { get; set; } = null!;

    [Inject]
    public AuthenticationStateProvider Authentication { get; set; } = null!;

    [Inject]
    public NavigationManager Navigation { get; set; } = null!;

    [Inject]
    public IServiceProvider Services { get; set; } = null!;

    /// <summary>The picture that this rendering shows.</summary>
    protected MeshView View { get; private set; } = null!;

    /// <summary>Time of this rendering.</summary>
    protected DateTimeOffset Now { get; private set; }

    protected override void OnInitialized()
    {
        Look();
        if (RendererInfo.IsInteractive)
        {
            Live.Changed += OnChanged;
            _following = FollowAsync(_leaving.Token);
        }
    }

    public async ValueTask DisposeAsync()
    {
        Live.Changed -= OnChanged;
        await _leaving.CancelAsync();
        await _following.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        _leaving.Dispose();
        GC.SuppressFinalize(this);
    }

    /// <summary>Takes what the page shows out of the new <see cref="View"/>.</summary>
    protected virtual void OnLook()
    {
    }

    private void Look()
    {
        View = Live.Current;
        Now = Time.GetUtcNow();
        OnLook();
    }

    // On the mesh's thread: no more than a flag and a release.
    private void OnChanged()
    {
        if (Interlocked.Exchange(ref _signalled, 1) == 0)
        {
            _changed.Release();
        }
    }

    private async Task FollowAsync(CancellationToken leaving)
    {
        IPageAccess? access = Services.GetService<IPageAccess>();
        AuthenticationState login = await Authentication.GetAuthenticationStateAsync();
        while (!leaving.IsCancellationRequested)
        {
            if (access?.IsLive(login.User) == false)
            {
                await InvokeAsync(() => Navigation.NavigateTo("login", forceLoad: true));
                return;
            }

            await _changed.WaitAsync(TickMs, leaving);
            Interlocked.Exchange(ref _signalled, 0);
            await InvokeAsync(() =>
            {
                Look();
                StateHasChanged();
            });
            await Task.Delay(RenderGapMs, leaving);
        }
    }
}
