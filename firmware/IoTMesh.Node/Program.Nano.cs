using System;
using System.Device.Wifi;
using System.Net.NetworkInformation;
using System.Threading;
using IoTMesh.Core;
using IoTMesh.Driver;
using nanoFramework.Runtime.Native;

namespace IoTMesh.Node;

/// <summary>The ESP32's entry point: settings and counters on the internal flash drive, a UDP air over Wi-Fi.</summary>
public static class Program
{
    private const string Folder = "I:\\";
    private const string SettingsFile = "I:\\node.conf";
    private const int WifiTimeoutMs = 60_000;
    private const int WifiPollMs = 200;
    private const int RestartDelayMs = 10_000;

    public static void Main()
    {
        ConsoleLog log = new ConsoleLog();
        try
        {
            RunNode(log);
        }
        catch (Exception error)
        {
            // A board whose Main has ended answers nobody any more.
            Restart(log, "stopped by " + error.ToString() + " " + error.Message);
        }
    }

    private static void RunNode(ConsoleLog log)
    {
        string wrong = CryptoSelfTest.Run(new PlatformCrypto());
        if (wrong != null)
        {
            // Off the air for good: frames under a broken cipher would give the keys away. A restart would come to the same.
            log.Write("the firmware's cryptography fails " + wrong + ": stays off the air; flash another CLR image");
            Thread.Sleep(Timeout.Infinite);
            return;
        }

        string error;
        NodeSettings settings = NodeSettings.Load(SettingsFile, out error);
        if (settings == null)
        {
            log.Write(error);

            // Nothing to run without keys; stay reachable for a deployment of the file.
            Thread.Sleep(Timeout.Infinite);
            return;
        }

        if (!Connect(settings))
        {
            Restart(log, "Wi-Fi did not connect: check wifi_ssid and wifi_password in " + SettingsFile);
            return;
        }

        FileStorage storage = new FileStorage(Folder);
        SystemClock clock = new SystemClock();
        NodeApplication application = new NodeApplication(settings, new Esp32Board(settings), log);
        UdpAirLink link = new UdpAirLink(settings.Address, settings.AirHost, settings.AirPort, clock);
        MeshDriver driver = NodeAssembly.Create(settings, link, clock, storage, application);
        if (storage.IsDamaged)
        {
            log.Write("the counters in " + Folder + " are damaged; enroll this node again, since to reuse counters would break its keys");
            Thread.Sleep(Timeout.Infinite);
            return;
        }

        driver.Run();
    }

    private static void Restart(ConsoleLog log, string reason)
    {
        log.Write(reason + "; restarting in 10 s");
        Thread.Sleep(RestartDelayMs);
        Power.RebootDevice(RebootOption.NormalReboot);
    }

    private static bool Connect(NodeSettings settings)
    {
        if (settings.WifiSsid.Length > 0)
        {
            WifiAdapter adapter = WifiAdapter.FindAllAdapters()[0];
            WifiConnectionResult result = adapter.Connect(settings.WifiSsid, WifiReconnectionKind.Automatic, settings.WifiPassword);
            if (result.ConnectionStatus != WifiConnectionStatus.Success)
            {
                return false;
            }
        }

        // Connected is not addressed yet: DHCP follows.
        for (int waitedMs = 0; waitedMs < WifiTimeoutMs; waitedMs += WifiPollMs)
        {
            string address = NetworkInterface.GetAllNetworkInterfaces()[0].IPv4Address;
            if (address.Length > 0 && address[0] != '0')
            {
                return true;
            }

            Thread.Sleep(WifiPollMs);
        }

        return false;
    }

    private sealed class ConsoleLog : INodeLog
    {
        public bool IsVerbose => false;

        public void Write(string line)
        {
            Console.WriteLine(line);
        }
    }
}
