namespace IoTMesh.Simulation;

/// <summary>Something a person wrote (a scenario, a topology, a control line) is wrong. The message is one line that says where and what.</summary>
public sealed class InputException : Exception
{
    public InputException(string message)
        : base(message)
    {
    }

    public InputException(string message, Exception inner)
        : base(message, inner)
    {
    }
}
