using System.Reflection;

namespace IoTMesh.Gateway;

/// <summary>This program's version.</summary>
public static class GatewayVersion
{
    public static string Text { get; } =
        typeof(GatewayVersion).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion.Split('+')[0] ?? "0";
}
