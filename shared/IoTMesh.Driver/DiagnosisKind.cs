namespace IoTMesh.Driver;

/// <summary>What can be asked of any node. protocol.md 7.4.</summary>
public enum DiagnosisKind : byte
{
    /// <summary>A sign of life and the round trip.</summary>
    Ping = 1,

    /// <summary>Each hop on the way there, with its link and round trip.</summary>
    Trace = 2,
    Counters = 3,
    Neighbors = 4,
    Routes = 5,
}
