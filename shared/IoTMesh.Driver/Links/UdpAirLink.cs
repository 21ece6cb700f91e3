using System;
using System.Net;
using System.Net.Sockets;

namespace IoTMesh.Driver;

/// <summary>How the air sees this node (docs/protocol.md 11.3).</summary>
public enum AirRegistration : byte
{
    /// <summary>No welcome came lately: the air is not there.</summary>
    Absent = 0,
    Registered = 1,

    /// <summary>The address is not in the air's topology.</summary>
    UnknownAddress = 2,

    /// <summary>The air's table is full.</summary>
    TableFull = 3,
}

/// <summary>
/// A link over the UDP radio of docs/protocol.md 11, on the socket members that the device has too. Registers by itself and again where
/// the air restarts; what the network does is counted and never thrown. The driver's thread receives; <see cref="Wake"/> is for any.
/// </summary>
public sealed class UdpAirLink : IWakeableLink
{
    private const int MaxBody = 1200;
    private const int HeaderLength = 12;
    private const byte Magic0 = 0x69;
    private const byte Magic1 = 0x61;
    private const byte Version = 1;
    private const int VersionOffset = 2;
    private const int TypeOffset = 3;
    private const int NodeOffset = 4;
    private const int SourceOffset = 6;
    private const int DestinationOffset = 8;
    private const int RssiOffset = 10;
    private const int StatusOffset = 11;
    private const byte Hello = 1;
    private const byte Welcome = 2;
    private const byte Frame = 3;
    private const byte Bye = 4;
    private const byte StatusRefused = 1;
    private const byte StatusFull = 2;
    private const int HelloIntervalMs = 500;
    private const int WelcomeTimeoutMs = 2_500;
    private const int ReopenIntervalMs = 1_000;
    private const byte Loopback = 127;

    private readonly ushort _address;
    private readonly string _host;
    private readonly int _port;
    private readonly IClock _clock;
    private readonly byte[] _sent = new byte[HeaderLength + MaxBody];
    private readonly byte[] _received = new byte[HeaderLength + MaxBody + 1];
    private readonly byte[] _nudge = new byte[1];
    private Socket _socket;
    private EndPoint _air;
    private EndPoint _self;
    private long _nextHelloMs = long.MinValue;
    private long _nextOpenMs = long.MinValue;
    private long _lastWelcomeMs = long.MinValue;
    private byte _status;
    private bool _isClosed;

    /// <param name="address">This node's mesh address.</param>
    /// <param name="host">IPv4 address or name of the air's machine; looked up when the socket is opened.</param>
    /// <param name="port">UDP port of the air.</param>
    public UdpAirLink(ushort address, string host, int port, IClock clock)
    {
        _address = address;
        _host = host;
        _port = port;
        _clock = clock;
    }

    public int MaxFrameLength => MaxBody;

    /// <summary>Host and port of the air.</summary>
    public string Air => _host + ":" + _port.ToString();

    /// <summary>Datagrams that were not the air's; see docs/protocol.md 11.1.</summary>
    public int Malformed { get; private set; }

    /// <summary>Calls of the socket that failed.</summary>
    public int SocketErrors { get; private set; }

    /// <summary>What the last failed call said, or null.</summary>
    public string LastError { get; private set; }

    /// <summary>How the air answered last.</summary>
    public AirRegistration Registration
    {
        get
        {
            if (_lastWelcomeMs == long.MinValue || _clock.NowMs - _lastWelcomeMs > WelcomeTimeoutMs)
            {
                return AirRegistration.Absent;
            }

            return _status == 0 ? AirRegistration.Registered
                : _status == StatusRefused ? AirRegistration.UnknownAddress
                : AirRegistration.TableFull;
        }
    }

    public bool Send(ushort linkDestination, byte[] buffer, int offset, int count)
    {
        if (count < 1 || count > MaxBody || !IsOpen(_clock.NowMs))
        {
            return false;
        }

        PutHeader(Frame, _address, linkDestination);
        Array.Copy(buffer, offset, _sent, HeaderLength, count);
        return SendDatagram(HeaderLength + count);
    }

    public int Receive(byte[] buffer, int timeoutMs, out sbyte rssiDbm)
    {
        rssiDbm = 0;
        long nowMs = _clock.NowMs;
        long deadlineMs = nowMs + timeoutMs;
        while (IsOpen(nowMs))
        {
            if (nowMs >= _nextHelloMs)
            {
                _nextHelloMs = nowMs + HelloIntervalMs;
                PutHeader(Hello, 0, 0);
                SendDatagram(HeaderLength);
            }

            int length = ReceiveDatagram(nowMs, deadlineMs);
            if (length == _nudge.Length)
            {
                return 0;
            }

            if (length > 0 && IsFrame(length, nowMs))
            {
                int count = length - HeaderLength;
                if (count <= buffer.Length)
                {
                    Array.Copy(_received, HeaderLength, buffer, 0, count);
                    rssiDbm = (sbyte)_received[RssiOffset];
                    return count;
                }

                Malformed++;
            }

            // Also after a datagram that was no frame: a flood of them must not hold the driver here.
            nowMs = _clock.NowMs;
            if (nowMs >= deadlineMs)
            {
                return 0;
            }
        }

        // No socket (not yet, or no more): wait as asked, so that the driver's loop does not spin.
        System.Threading.Thread.Sleep(timeoutMs);
        return 0;
    }

    public void Wake()
    {
        Socket socket = _socket;
        EndPoint self = _self;
        if (socket == null || self == null)
        {
            return;
        }

        try
        {
            socket.SendTo(_nudge, 0, _nudge.Length, SocketFlags.None, self);
        }
        catch (Exception)
        {
            // The wait then ends by itself; a closed socket needs no waking.
        }
    }

    public void Close()
    {
        if (_socket != null)
        {
            PutHeader(Bye, 0, 0);
            SendDatagram(HeaderLength);
        }

        _isClosed = true;
        CloseSocket();
    }

    private bool IsOpen(long nowMs)
    {
        if (_socket != null)
        {
            return true;
        }

        if (_isClosed || nowMs < _nextOpenMs)
        {
            return false;
        }

        _nextOpenMs = nowMs + ReopenIntervalMs;
        try
        {
            IPAddress air = Resolve(_host);
            IPAddress local = air.GetAddressBytes()[0] == Loopback ? IPAddress.Loopback : IPAddress.Any;
            Socket socket = new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
            socket.Bind(new IPEndPoint(local, 0));
            _air = Platform.CreateEndPoint(air, _port);
            _self = Platform.CreateEndPoint(IPAddress.Loopback, ((IPEndPoint)socket.LocalEndPoint).Port);
            _nextHelloMs = long.MinValue;
            _socket = socket;
            return true;
        }
        catch (Exception error)
        {
            CountError(error);
            return false;
        }
    }

    private static IPAddress Resolve(string host)
    {
        if (host.Length > 0 && host[0] >= '0' && host[0] <= '9')
        {
            return IPAddress.Parse(host);
        }

        IPAddress[] addresses = Dns.GetHostEntry(host).AddressList;
        for (int i = 0; i < addresses.Length; i++)
        {
            if (addresses[i].AddressFamily == AddressFamily.InterNetwork)
            {
                return addresses[i];
            }
        }

        throw new ArgumentException(host + " has no IPv4 address");
    }

    private void PutHeader(byte type, ushort linkSource, ushort linkDestination)
    {
        byte[] sent = _sent;
        sent[0] = Magic0;
        sent[1] = Magic1;
        sent[VersionOffset] = Version;
        sent[TypeOffset] = type;
        PutU16(sent, NodeOffset, _address);
        PutU16(sent, SourceOffset, linkSource);
        PutU16(sent, DestinationOffset, linkDestination);
        sent[RssiOffset] = 0;
        sent[StatusOffset] = 0;
    }

    private bool SendDatagram(int length)
    {
        try
        {
            return _socket.SendTo(_sent, 0, length, SocketFlags.None, _air) == length;
        }
        catch (Exception error)
        {
            CountError(error);
            return false;
        }
    }

    private int ReceiveDatagram(long nowMs, long deadlineMs)
    {
        try
        {
            long untilMs = deadlineMs < _nextHelloMs ? deadlineMs : _nextHelloMs;
            int waitMs = untilMs > nowMs ? (int)(untilMs - nowMs) : 0;

            // Poll first: a receive that times out throws, which costs far more than this call on both platforms.
            return _socket.Poll(waitMs * 1000, SelectMode.SelectRead) ? _socket.Receive(_received, 0, _received.Length, SocketFlags.None) : 0;
        }
        catch (SocketException error)
        {
            if (error.ErrorCode == (int)SocketError.MessageSize)
            {
                // Windows throws where others cut: a datagram longer than the air's, and no fault of the socket.
                Malformed++;
                return 0;
            }

            CountError(error);

            // Windows reports here that an earlier datagram found no air; the socket is as good as before.
            if (error.ErrorCode != (int)SocketError.ConnectionReset)
            {
                CloseSocket();
            }

            return 0;
        }
        catch (Exception error)
        {
            // Where the interface went away the socket does not recover: open another one.
            CountError(error);
            CloseSocket();
            return 0;
        }
    }

    private bool IsFrame(int length, long nowMs)
    {
        byte[] received = _received;
        bool isOurs = length >= HeaderLength && length <= HeaderLength + MaxBody && received[0] == Magic0 && received[1] == Magic1
            && received[VersionOffset] == Version && GetU16(received, NodeOffset) == _address;
        if (isOurs && received[TypeOffset] == Frame && length > HeaderLength)
        {
            return true;
        }

        if (isOurs && received[TypeOffset] == Welcome && length == HeaderLength && received[StatusOffset] <= StatusFull)
        {
            _lastWelcomeMs = nowMs;
            _status = received[StatusOffset];
            return false;
        }

        Malformed++;
        return false;
    }

    private void CloseSocket()
    {
        Socket socket = _socket;
        _socket = null;
        _self = null;
        if (socket != null)
        {
            try
            {
                socket.Close();
            }
            catch (Exception error)
            {
                CountError(error);
            }
        }
    }

    private void CountError(Exception error)
    {
        SocketErrors++;
        LastError = error.Message;
    }

    private static void PutU16(byte[] buffer, int at, ushort value)
    {
        buffer[at] = (byte)value;
        buffer[at + 1] = (byte)(value >> 8);
    }

    private static ushort GetU16(byte[] buffer, int at)
    {
        return (ushort)(buffer[at] | (buffer[at + 1] << 8));
    }
}
