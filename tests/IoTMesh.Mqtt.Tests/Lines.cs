using System.Net;
using System.Net.Sockets;

namespace IoTMesh.Mqtt.Tests;

/// <summary>A TCP relay to a local port whose connections can be cut in the middle of a packet.</summary>
internal sealed class CuttableLine : IAsyncDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly List<Socket> _sockets = [];
    private readonly Task _accepting;

    public CuttableLine(int target)
    {
        _listener.Start();
        _accepting = AcceptAsync(target);
    }

    public int Port => ((IPEndPoint)_listener.LocalEndpoint).Port;

    public void Cut()
    {
        lock (_sockets)
        {
            _sockets.ForEach(socket => socket.Close(0));
            _sockets.Clear();
        }
    }

    public async ValueTask DisposeAsync()
    {
        _listener.Stop();
        Cut();
        await _accepting;
    }

    private async Task AcceptAsync(int target)
    {
        try
        {
            while (true)
            {
                Socket near = await _listener.AcceptSocketAsync();
                var far = new Socket(SocketType.Stream, ProtocolType.Tcp);
                await far.ConnectAsync(IPAddress.Loopback, target);
                lock (_sockets)
                {
                    _sockets.AddRange([near, far]);
                }

                _ = CopyAsync(near, far);
                _ = CopyAsync(far, near);
            }
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            // stopped
        }
    }

    private static async Task CopyAsync(Socket from, Socket to)
    {
        var buffer = new byte[777];
        try
        {
            int count;
            while ((count = await from.ReceiveAsync(buffer)) > 0)
            {
                await to.SendAsync(buffer.AsMemory(0, count));
            }
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            // cut
        }

        from.Close(0);
        to.Close(0);
    }
}

/// <summary>Accepts CONNECT and then says nothing any more.</summary>
internal sealed class SilentBroker : IDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private Socket? _socket;

    public SilentBroker()
    {
        _listener.Start();
        _ = AcceptAsync();
    }

    public int Port => ((IPEndPoint)_listener.LocalEndpoint).Port;

    public void Drop() => _socket!.Close();

    public void Dispose()
    {
        _listener.Stop();
        _socket?.Dispose();
    }

    private async Task AcceptAsync()
    {
        try
        {
            while (true)
            {
                _socket = await _listener.AcceptSocketAsync();
                await _socket.ReceiveAsync(new byte[1_000]);
                await _socket.SendAsync(GoldenBytesTests.Bytes("20 03 00 00 00"));
            }
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            // stopped
        }
    }
}
