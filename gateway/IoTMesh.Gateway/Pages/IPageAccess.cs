using System.Security.Claims;

namespace IoTMesh.Gateway.Pages;

/// <summary>What the pages ask about who looks at them; without it among the services everybody may do all. Any thread.</summary>
public interface IPageAccess
{
    /// <summary>False once the login has ended: the page then goes to the login.</summary>
    bool IsLive(ClaimsPrincipal user);

    /// <summary>Whether the user may ask and command nodes.</summary>
    bool MayCommand(ClaimsPrincipal user);
}
