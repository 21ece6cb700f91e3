namespace IoTMesh.Gateway.Settings;

/// <summary>A setting that cannot be used: one line that names the file, the line and the key.</summary>
public sealed class SettingsException(string message) : Exception(message);
