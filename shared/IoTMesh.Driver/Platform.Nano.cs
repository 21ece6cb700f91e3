using System.IO;
using System.Net;
using System.Threading;

namespace IoTMesh.Driver;

/// <summary>What .NET and the device do differently; the host's counterpart is Platform.Host.cs.</summary>
internal static class Platform
{
    internal static Thread CreateThread(ThreadStart start)
    {
        return new Thread(start);
    }

    internal static void FlushToDisk(FileStream stream)
    {
        stream.Flush();
    }

    internal static EndPoint CreateEndPoint(IPAddress address, int port)
    {
        return new IPEndPoint(address, port);
    }
}
