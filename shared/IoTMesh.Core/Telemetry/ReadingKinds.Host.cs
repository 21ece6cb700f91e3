using System.Collections.Generic;
using static IoTMesh.Core.BthomeTable;

namespace IoTMesh.Core;

/// <summary>What a person and Home Assistant call one kind of reading.</summary>
/// <param name="ObjectId">Id on air.</param>
/// <param name="Channel">Channel of a generic object, else 0.</param>
/// <param name="Name">snake_case, unique within one reading of distinct ids but for the several widths of one quantity.</param>
/// <param name="Label">For people.</param>
/// <param name="Unit">As Home Assistant spells it; empty for none.</param>
/// <param name="DeviceClass">Home Assistant's device_class; empty for none.</param>
/// <param name="StateClass">Home Assistant's state_class; empty for none.</param>
/// <param name="Form">Number, on or off, an event, text or bytes.</param>
/// <param name="Decimals">Decimal places worth showing.</param>
public sealed record ReadingKind(
    byte ObjectId, byte Channel, string Name, string Label, string Unit, string DeviceClass, string StateClass, ReadingForm Form, int Decimals);

/// <summary>How a reading is shown.</summary>
public enum ReadingForm : byte
{
    Number = 0,
    Binary = 1,
    Event = 2,
    Text = 3,
    Raw = 4,
}

/// <summary>Names, units and Home Assistant classes of the reading objects; for gateways and the command line.</summary>
public static class ReadingKinds
{
    private static readonly ReadingKind[] _kinds = CreateKinds();
    private static readonly ReadingKind[] _channels = CreateChannels();
    private static readonly ReadingKind[] _byId = IndexById(_kinds);

    /// <summary>Every kind that has a name, the registered generic channels included.</summary>
    public static IReadOnlyList<ReadingKind> All { get; } = [.. _kinds, .. _channels];

    /// <summary>The kind of an object; an unknown one gets a name made of its number (<c>channel_200</c>, <c>object_31</c>). Never null.</summary>
    public static ReadingKind Describe(byte objectId, byte channel)
    {
        if (objectId != Generic)
        {
            return _byId[objectId] ?? Nameless(objectId, 0, "object_" + objectId.ToString("x2"), "Object 0x" + objectId.ToString("X2"));
        }

        return channel >= 1 && channel <= _channels.Length
            ? _channels[channel - 1]
            : Nameless(objectId, channel, "channel_" + channel, "Channel " + channel);
    }

    private static ReadingKind Nameless(byte objectId, byte channel, string name, string label)
    {
        return new ReadingKind(objectId, channel, name, label, "", "", "measurement", ReadingForm.Number, DecimalsOf(objectId));
    }

    private static ReadingKind[] IndexById(ReadingKind[] kinds)
    {
        var index = new ReadingKind[256];
        foreach (ReadingKind kind in kinds)
        {
            index[kind.ObjectId] = kind;
        }

        return index;
    }

    private static ReadingKind Number(byte id, string name, string label, string unit, string deviceClass, string stateClass = "measurement")
    {
        return new ReadingKind(id, 0, name, label, unit, deviceClass, stateClass, ReadingForm.Number, DecimalsOf(id));
    }

    // Four binary sensors share their BTHome name with a number (power, battery, gas, moisture): theirs say what they detect.
    private static ReadingKind Binary(byte id, string name, string label, string deviceClass)
    {
        return new ReadingKind(id, 0, name, label, "", deviceClass, "", ReadingForm.Binary, 0);
    }

    private static ReadingKind Other(byte id, string name, string label, ReadingForm form)
    {
        return new ReadingKind(id, 0, name, label, "", "", "", form, 0);
    }

    private static ReadingKind Own(byte channel, string name, string label, string unit, string deviceClass, string stateClass, int decimals)
    {
        return new ReadingKind(Generic, channel, name, label, unit, deviceClass, stateClass, ReadingForm.Number, decimals);
    }

    // In the order of the channel numbers, from 1.
    private static ReadingKind[] CreateChannels()
    {
        return
        [
            Own(ReadingChannel.Load, "load", "Load", "", "", "measurement", 2),
            Own(ReadingChannel.FreeMemory, "free_memory", "Free memory", "kB", "data_size", "measurement", 1),
            Own(ReadingChannel.Uptime, "uptime", "Uptime", "s", "duration", "total_increasing", 0),
            Own(ReadingChannel.Custody, "custody", "Readings waiting", "", "", "measurement", 0),
            Own(ReadingChannel.ProcessorTemperature, "processor_temperature", "Processor", "°C", "temperature", "measurement", 1),
        ];
    }

    private static ReadingKind[] CreateKinds()
    {
        return [.. CreateNumbers(), .. CreateNumbersAbove3F(), .. CreateBinaries(), .. CreateOthers()];
    }

    private static ReadingKind[] CreateNumbers()
    {
        return
        [
            Number(0x00, "packet_id", "Packet", "", ""),
            Number(Battery, "battery", "Battery", "%", "battery"),
            Number(Temperature, "temperature", "Temperature", "°C", "temperature"),
            Number(Humidity, "humidity", "Humidity", "%", "humidity"),
            Number(Pressure, "pressure", "Pressure", "hPa", "pressure"),
            Number(Illuminance, "illuminance", "Illuminance", "lx", "illuminance"),
            Number(0x06, "mass", "Mass", "kg", "weight"),
            Number(0x07, "mass", "Mass", "lb", "weight"),
            Number(0x08, "dewpoint", "Dew point", "°C", "temperature"),
            Number(Count, "count", "Count", "", ""),
            Number(0x0A, "energy", "Energy", "kWh", "energy", "total_increasing"),
            Number(0x0B, "power", "Power", "W", "power"),
            Number(Voltage, "voltage", "Voltage", "V", "voltage"),
            Number(0x0D, "pm2_5", "PM2.5", "µg/m³", "pm25"),
            Number(0x0E, "pm10", "PM10", "µg/m³", "pm10"),
            Number(Co2, "co2", "CO2", "ppm", "carbon_dioxide"),
            Number(0x13, "tvoc", "TVOC", "µg/m³", "volatile_organic_compounds"),
            Number(0x14, "moisture", "Moisture", "%", "moisture"),
            Number(0x2E, "humidity", "Humidity", "%", "humidity"),
            Number(0x2F, "moisture", "Moisture", "%", "moisture"),
            Number(0x3D, "count", "Count", "", ""),
            Number(0x3E, "count", "Count", "", ""),
            Number(0x3F, "rotation", "Rotation", "°", ""),
        ];
    }

    private static ReadingKind[] CreateNumbersAbove3F()
    {
        return
        [
            Number(0x40, "distance", "Distance", "mm", "distance"),
            Number(0x41, "distance", "Distance", "m", "distance"),
            Number(Duration, "duration", "Duration", "s", "duration"),
            Number(0x43, "current", "Current", "A", "current"),
            Number(0x44, "speed", "Speed", "m/s", "speed"),
            Number(0x45, "temperature", "Temperature", "°C", "temperature"),
            Number(0x46, "uv_index", "UV index", "", ""),
            Number(0x47, "volume", "Volume", "L", "volume", "total"),
            Number(0x48, "volume", "Volume", "mL", "volume", "total"),
            Number(0x49, "volume_flow_rate", "Flow rate", "m³/h", "volume_flow_rate"),
            Number(0x4A, "voltage", "Voltage", "V", "voltage"),
            Number(0x4B, "gas", "Gas", "m³", "gas", "total_increasing"),
            Number(0x4C, "gas", "Gas", "m³", "gas", "total_increasing"),
            Number(0x4D, "energy", "Energy", "kWh", "energy", "total_increasing"),
            Number(0x4E, "volume", "Volume", "L", "volume", "total"),
            Number(0x4F, "water", "Water", "L", "water", "total_increasing"),
            Number(0x50, "timestamp", "Timestamp", "s", "", ""),
            Number(0x51, "acceleration", "Acceleration", "m/s²", ""),
            Number(0x52, "gyroscope", "Gyroscope", "°/s", ""),
            Number(0x55, "volume_storage", "Volume stored", "L", "volume_storage"),
            Number(0x56, "conductivity", "Conductivity", "µS/cm", "conductivity"),
            Number(0x57, "temperature", "Temperature", "°C", "temperature"),
            Number(0x58, "temperature", "Temperature", "°C", "temperature"),
            Number(0x59, "count", "Count", "", ""),
            Number(0x5A, "count", "Count", "", ""),
            Number(0x5B, "count", "Count", "", ""),
            Number(0x5C, "power", "Power", "W", "power"),
            Number(0x5D, "current", "Current", "A", "current"),
            Number(0x5E, "direction", "Direction", "°", ""),
            Number(0x5F, "precipitation", "Precipitation", "mm", "precipitation"),
            Number(0x60, "channel", "Channel", "", "", ""),
            Number(0x61, "rotational_speed", "Rotational speed", "rpm", ""),
            Number(0x62, "speed", "Speed", "m/s", "speed"),
            Number(0x63, "acceleration", "Acceleration", "m/s²", ""),
            Number(0x64, "light_level", "Light level", "", ""),
            Number(0xF0, "device_type", "Device type", "", "", ""),
            Number(0xF1, "firmware_version", "Firmware version", "", "", ""),
            Number(0xF2, "firmware_version", "Firmware version", "", "", ""),
        ];
    }

    private static ReadingKind[] CreateBinaries()
    {
        return
        [
            Binary(GenericBoolean, "generic_boolean", "On", ""),
            Binary(PowerOn, "power_on", "Power", "power"),
            Binary(0x11, "opening", "Opening", "opening"),
            Binary(0x15, "battery_low", "Battery low", "battery"),
            Binary(0x16, "battery_charging", "Battery charging", "battery_charging"),
            Binary(0x17, "carbon_monoxide", "Carbon monoxide", "carbon_monoxide"),
            Binary(0x18, "cold", "Cold", "cold"),
            Binary(0x19, "connectivity", "Connectivity", "connectivity"),
            Binary(0x1A, "door", "Door", "door"),
            Binary(0x1B, "garage_door", "Garage door", "garage_door"),
            Binary(0x1C, "gas_detected", "Gas detected", "gas"),
            Binary(0x1D, "heat", "Heat", "heat"),
            Binary(0x1E, "light", "Light", "light"),
            Binary(0x1F, "lock", "Unlocked", "lock"),
            Binary(0x20, "moisture_detected", "Moisture detected", "moisture"),
            Binary(Motion, "motion", "Motion", "motion"),
            Binary(0x22, "moving", "Moving", "moving"),
            Binary(0x23, "occupancy", "Occupancy", "occupancy"),
            Binary(0x24, "plug", "Plug", "plug"),
            Binary(0x25, "presence", "Presence", "presence"),
            Binary(0x26, "problem", "Problem", "problem"),
            Binary(0x27, "running", "Running", "running"),
            Binary(0x28, "safety", "Unsafe", "safety"),
            Binary(0x29, "smoke", "Smoke", "smoke"),
            Binary(0x2A, "sound", "Sound", "sound"),
            Binary(0x2B, "tamper", "Tamper", "tamper"),
            Binary(0x2C, "vibration", "Vibration", "vibration"),
            Binary(0x2D, "window", "Window", "window"),
        ];
    }

    private static ReadingKind[] CreateOthers()
    {
        return
        [
            Other(Button, "button", "Button", ReadingForm.Event),
            Other(0x3C, "dimmer", "Dimmer", ReadingForm.Event),
            Other(Text, "text", "Text", ReadingForm.Text),
            Other(Raw, "raw", "Raw", ReadingForm.Raw),
        ];
    }
}
