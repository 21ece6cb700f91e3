using System.IO;
using System.Net;
using System.Threading;

namespace IoTMesh.Driver;

/// <summary>What .NET and the device do differently; the device's counterpart is Platform.Nano.cs.</summary>
internal static class Platform
{
    internal static Thread CreateThread(ThreadStart start)
    {
        return new Thread(start) { IsBackground = true, Name = "mesh" };
    }

    /// <summary>Past the operating system's cache.</summary>
    internal static void FlushToDisk(FileStream stream)
    {
        stream.Flush(true);
    }

    internal static EndPoint CreateEndPoint(IPAddress address, int port)
    {
        return new CachedEndPoint(address, port);
    }

    /// <summary>A plain IPEndPoint is serialized anew, with an allocation, at each SendTo.</summary>
    private sealed class CachedEndPoint : IPEndPoint
    {
        private readonly SocketAddress _serialized;

        internal CachedEndPoint(IPAddress address, int port)
            : base(address, port)
        {
            _serialized = base.Serialize();
        }

        public override SocketAddress Serialize()
        {
            return _serialized;
        }
    }
}
