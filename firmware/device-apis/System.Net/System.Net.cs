using System.Net.Sockets;

namespace System.Net;

public static class Dns
{
    public static extern IPHostEntry GetHostEntry(string hostNameOrAddress);
}

public abstract class EndPoint
{
    public abstract SocketAddress Serialize();
    public abstract EndPoint Create(SocketAddress socketAddress);
    protected extern EndPoint();
}

public class IPAddress
{
    public static readonly IPAddress Any;
    public static readonly IPAddress Loopback;
    public static readonly IPAddress Broadcast;
    public static readonly IPAddress None;
    public static readonly IPAddress IPv6Any;
    public static readonly IPAddress IPv6Loopback;
    public extern AddressFamily AddressFamily { get; }
    public extern long ScopeId { get; set; }
    public extern bool IsIPv4MappedToIPv6 { get; }
    public extern IPAddress(long newAddress);
    public extern IPAddress(byte[] address);
    public static extern bool operator ==(IPAddress a, IPAddress b);
    public static extern bool operator !=(IPAddress a, IPAddress b);
    public extern IPAddress(byte[] address, long scopeid);
    public override extern bool Equals(object other);
    public extern bool Equals(IPAddress other);
    public extern byte[] GetAddressBytes();
    public static extern IPAddress Parse(string ipString);
    public override extern string ToString();
    public static extern IPAddress GetDefaultLocalAddress();
    public override extern int GetHashCode();
    public extern IPAddress MapToIPv6();
    public extern IPAddress MapToIPv4();
}

public class IPEndPoint : EndPoint
{
    public const int MinPort = 0;
    public const int MaxPort = 65535;
    public extern IPAddress Address { get; }
    public extern AddressFamily AddressFamily { get; }
    public extern int Port { get; }
    public extern IPEndPoint(long address, int port);
    public extern IPEndPoint(IPAddress address, int port);
    public override extern SocketAddress Serialize();
    public override extern EndPoint Create(SocketAddress socketAddress);
    public override extern string ToString();
    public override extern bool Equals(object obj);
    public override extern int GetHashCode();
}

public class IPHostEntry
{
    public extern string HostName { get; }
    public extern IPAddress[] AddressList { get; }
    public extern IPHostEntry();
}

public class SocketAddress
{
    public extern AddressFamily Family { get; }
    public extern int Size { get; }
    public extern byte this[int index] { get; set; }
    public extern SocketAddress(AddressFamily family, int size);
    public override extern bool Equals(object obj);
    public override extern int GetHashCode();
}
