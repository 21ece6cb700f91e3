using System.Globalization;

namespace IoTMesh.Simulation;

/// <summary>Says in words what a fault does.</summary>
internal static class FaultText
{
    internal static string Of(FaultEntry fault) => fault.Kind switch
    {
        FaultKind.Cut => $"cut {fault.A} - {fault.B}",
        FaultKind.Restore => $"restore {fault.A} - {fault.B}",
        FaultKind.Partition => "partition " + string.Join(" | ", fault.Groups.Select(group => string.Join(" ", group))),
        FaultKind.Merge => "merge",
        FaultKind.Move => string.Create(CultureInfo.InvariantCulture, $"move {fault.A} to {fault.Position.X:0.##}, {fault.Position.Y:0.##}"),
        FaultKind.GatewayDown => $"gateway {fault.A} down",
        FaultKind.Rotate => $"gateway {fault.A} changes the network key",
        FaultKind.Revoke => $"revoke {fault.A}",
        FaultKind.GatewayUp => $"gateway {fault.A} up",
        _ => $"{fault.Kind.ToString().ToLowerInvariant()} {fault.A}",
    };
}
