namespace System.Device.Wifi;

public delegate void AvailableNetworksChangedEventHandler(WifiAdapter sender, object e);

public sealed class WifiAdapter : IDisposable
{
    public extern int NetworkInterface { get; }
    public extern WifiNetworkReport NetworkReport { get; }
    public extern event AvailableNetworksChangedEventHandler AvailableNetworksChanged;
    public extern WifiConnectionResult Connect(WifiAvailableNetwork availableNetwork, WifiReconnectionKind reconnectionKind, string passwordCredential);
    public extern WifiConnectionResult Connect(string ssid, WifiReconnectionKind reconnectionKind, string passwordCredential);
    public extern void Disconnect();
    public static extern WifiAdapter[] FindAllAdapters();
    public extern void SetDeviceName(string deviceName);
    public extern void ScanAsync();
    public extern void Dispose();
    private extern WifiAdapter();
}

public class WifiAvailableNetwork
{
    public extern string Bsid { get; }
    public extern string Ssid { get; }
    public extern WifiNetworkKind NetworkKind { get; }
    public extern double NetworkRssiInDecibelMilliwatts { get; }
    public extern byte SignalBars { get; }
    public extern WifiAvailableNetwork();
}

public class WifiConnectionResult
{
    public extern WifiConnectionStatus ConnectionStatus { get; }
    private extern WifiConnectionResult();
}

public enum WifiConnectionStatus
{
    AccessRevoked = 0,
    InvalidCredential = 1,
    NetworkNotAvailable = 2,
    Success = 3,
    Timeout = 4,
    UnspecifiedFailure = 5,
    UnsupportedAuthenticationProtocol = 6,
}

public enum WifiNetworkKind
{
    Adhoc = 0,
    Any = 1,
    Infrastructure = 2,
}

public class WifiNetworkReport
{
    public extern WifiAvailableNetwork[] AvailableNetworks { get; }
    private extern WifiNetworkReport();
}

public enum WifiReconnectionKind
{
    Automatic = 0,
    Manual = 1,
}
