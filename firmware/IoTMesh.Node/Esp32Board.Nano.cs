using System.Device.Gpio;
using nanoFramework.Hardware.Esp32;
using nanoFramework.Runtime.Native;

namespace IoTMesh.Node;

/// <summary>An ESP32 board: one LED, memory, restart.</summary>
public sealed class Esp32Board : IBoard
{
    private readonly GpioPin _led;

    public Esp32Board(NodeSettings settings)
    {
        if (settings.LedPin >= 0)
        {
            _led = new GpioController().OpenPin(settings.LedPin, PinMode.Output);
        }
    }

    public string Model => SystemInfo.TargetName;

    public long FreeMemoryBytes
    {
        get
        {
            uint total;
            uint free;
            uint largest;
            NativeMemory.GetMemoryInfo(NativeMemory.MemoryType.All, out total, out free, out largest);
            return free;
        }
    }

    public bool CanReboot => true;

    public void SetLed(bool on)
    {
        if (_led != null)
        {
            _led.Write(on ? PinValue.High : PinValue.Low);
        }
    }

    public void Reboot()
    {
        Power.RebootDevice(RebootOption.NormalReboot);
    }

    public ISensor CreateSensor(string name)
    {
        return null;
    }
}
