namespace IoTMesh.Node;

/// <summary>Where the application tells people what it does: a console, a list in a test. One line a call, no time stamp.</summary>
public interface INodeLog
{
    /// <summary>True where each reading is worth a line too.</summary>
    bool IsVerbose { get; }

    void Write(string line);
}
