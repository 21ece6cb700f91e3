namespace IoTMesh.Node;

/// <summary>Makes the sensors that the settings name; one that is unknown or absent is reported and left out.</summary>
internal static class NodeSensors
{
    internal static ISensor[] Create(NodeSettings settings, IBoard board, INodeLog log)
    {
        ISensor[] found = new ISensor[settings.Sensors.Length];
        int count = 0;
        for (int i = 0; i < found.Length; i++)
        {
            ISensor sensor = CreateOne(settings.Sensors[i], settings.Address, board);
            if (sensor == null)
            {
                log.Write("sensor '" + settings.Sensors[i] + "' is not on this board; remove it from 'sensors' or connect it");
                continue;
            }

            found[count++] = sensor;
        }

        ISensor[] sensors = new ISensor[count];
        System.Array.Copy(found, 0, sensors, 0, count);
        return sensors;
    }

    private static ISensor CreateOne(string name, ushort address, IBoard board)
    {
        switch (name)
        {
            case "weather":
                return new ModelledWeather(address);
            case "uptime":
                return new UptimeSensor();
            case "memory":
                return new MemorySensor(board);
            default:
                return board.CreateSensor(name);
        }
    }
}
