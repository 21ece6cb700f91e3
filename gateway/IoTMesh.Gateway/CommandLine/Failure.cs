namespace IoTMesh.Gateway.CommandLine;

/// <summary>Exit codes of iotmesh.</summary>
internal static class ExitCode
{
    internal const int Success = 0;

    /// <summary>It ran, and the result is not good or it could not go on.</summary>
    internal const int Failed = 1;

    /// <summary>Arguments or settings that cannot be used.</summary>
    internal const int Usage = 2;

    /// <summary>A port is taken.</summary>
    internal const int PortTaken = 3;
}

/// <summary>Ends a command with one line on standard error and an exit code.</summary>
internal sealed class CommandFailure(string message, int exitCode) : Exception(message)
{
    internal int ExitCode { get; } = exitCode;
}
