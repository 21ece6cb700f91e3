namespace IoTMesh.Core;

/// <summary>
/// Shape of each reading object: how many bytes its value has, whether it is signed, and its decimal scale. Ids, lengths and
/// factors are those of BTHome v2 (https://bthome.io/format), so that every id has a known unit; protocol.md 10. Names and units
/// are for gateways only: ReadingKinds, compiled for the host alone.
/// </summary>
public static class BthomeTable
{
    public const byte Battery = 0x01;
    public const byte Temperature = 0x02;
    public const byte Humidity = 0x03;
    public const byte Pressure = 0x04;
    public const byte Illuminance = 0x05;
    public const byte Count = 0x09;
    public const byte Voltage = 0x0C;
    public const byte GenericBoolean = 0x0F;
    public const byte PowerOn = 0x10;
    public const byte Co2 = 0x12;
    public const byte Motion = 0x21;
    public const byte Button = 0x3A;
    public const byte Duration = 0x42;
    public const byte Text = 0x53;
    public const byte Raw = 0x54;

    /// <summary>Ours, in a range that BTHome leaves free: channel u8, type u8, value. For what BTHome has no id for.</summary>
    public const byte Generic = 0xE0;

    /// <summary>What <see cref="LengthOf"/> answers where a length byte precedes the value.</summary>
    public const int VariableLength = 7;

    private const byte U8 = 1;
    private const byte U16 = 2;
    private const byte U24 = 3;
    private const byte U32 = 4;
    private const byte Sign = 0x08;
    private const byte S8 = U8 | Sign;
    private const byte S16 = U16 | Sign;
    private const byte S32 = U32 | Sign;
    private const byte Variable = VariableLength;
    private const byte LengthMask = 0x07;
    private const int ExponentShift = 4;

    // Decimal places: the value times ten to the minus this is in the object's unit.
    private const byte D1 = 0x10;
    private const byte D2 = 0x20;
    private const byte D3 = 0x30;
    private const byte D6 = 0x60;

    private const byte CoarseTemperature = 0x58;
    private const byte FirstDeviceInfo = 0xF0;

    // One byte an id from 0x00: length in bits 0 to 2, sign in bit 3, decimal places in bits 4 to 6; 0 for an id not in use.
    private static readonly byte[] _shapes =
    {
        /* 00 */ U8, U8, S16 | D2, U16 | D2, U24 | D2, U24 | D2, U16 | D2, U16 | D2,
        /* 08 */ S16 | D2, U8, U24 | D3, U24 | D2, U16 | D3, U16, U16, U8,
        /* 10 */ U8, U8, U16, U16, U16 | D2, U8, U8, U8,
        /* 18 */ U8, U8, U8, U8, U8, U8, U8, U8,
        /* 20 */ U8, U8, U8, U8, U8, U8, U8, U8,
        /* 28 */ U8, U8, U8, U8, U8, U8, U8, U8,
        /* 30 */ 0, 0, 0, 0, 0, 0, 0, 0,
        /* 38 */ 0, 0, U8, 0, U16, U16, U32, S16 | D1,
        /* 40 */ U16, U16 | D1, U24 | D3, U16 | D3, U16 | D2, S16 | D1, U8 | D1, U16 | D1,
        /* 48 */ U16, U16 | D3, U16 | D1, U24 | D3, U32 | D3, U32 | D3, U32 | D3, U32 | D3,
        /* 50 */ U32, U16 | D3, U16 | D3, Variable, Variable, U32 | D3, U16, S8,
        /* 58 */ S8 | D2, S8, S16, S32, S32 | D2, S16 | D3, U16 | D2, U16 | D1,
        /* 60 */ U8, U16, S32 | D6, S32 | D6, U8,
    };

    // 0xF0 device type, 0xF1 firmware version of four parts, 0xF2 of three.
    private static readonly byte[] _deviceInfoShapes = { U16, U32, U24 };

    /// <summary>Bytes of the object's value: 1 to 4, <see cref="VariableLength"/>, or 0 for an id that is not known.</summary>
    public static int LengthOf(byte objectId)
    {
        return ShapeOf(objectId) & LengthMask;
    }

    public static bool IsSigned(byte objectId)
    {
        return (ShapeOf(objectId) & Sign) != 0;
    }

    /// <summary>Decimal places, 0 to 6: value in the unit = raw * <see cref="MultiplierOf"/> / 10^places.</summary>
    public static int DecimalsOf(byte objectId)
    {
        return ShapeOf(objectId) >> ExponentShift;
    }

    /// <summary>1 for every object but 0x58, whose step is 0.35 degrees.</summary>
    public static int MultiplierOf(byte objectId)
    {
        return objectId == CoarseTemperature ? 35 : 1;
    }

    private static byte ShapeOf(byte objectId)
    {
        if (objectId < _shapes.Length)
        {
            return _shapes[objectId];
        }

        int index = objectId - FirstDeviceInfo;
        return index >= 0 && index < _deviceInfoShapes.Length ? _deviceInfoShapes[index] : (byte)0;
    }
}

/// <summary>
/// Registered channels of the object <see cref="BthomeTable.Generic"/>; 128 to 255 are the application's own. The value's type
/// byte carries length, sign and decimal places, so that an unknown channel is still a number.
/// </summary>
public static class ReadingChannel
{
    /// <summary>Load average of the last minute, no unit.</summary>
    public const byte Load = 1;

    /// <summary>Free memory, kB.</summary>
    public const byte FreeMemory = 2;

    /// <summary>Time since start, s.</summary>
    public const byte Uptime = 3;

    /// <summary>Readings kept until a gateway has committed them.</summary>
    public const byte Custody = 4;

    /// <summary>Temperature of the processor (not of the room), degrees Celsius.</summary>
    public const byte ProcessorTemperature = 5;
}
