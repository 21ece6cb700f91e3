namespace IoTMesh.Node;

/// <summary>The hardware (or the machine) that the application runs on. Called from the driver's thread.</summary>
public interface IBoard
{
    /// <summary>What people call it, at most 32 bytes: <c>ESP32</c>, <c>virtual ESP32</c>.</summary>
    string Model { get; }

    /// <summary>Free memory, bytes.</summary>
    long FreeMemoryBytes { get; }

    /// <summary>True where <see cref="Reboot"/> does something.</summary>
    bool CanReboot { get; }

    void SetLed(bool on);

    /// <summary>Restarts the application; may return before it happens.</summary>
    void Reboot();

    /// <summary>A sensor that only this board has; null for a name it does not know or a sensor that is absent.</summary>
    ISensor CreateSensor(string name);
}
