using IoTMesh.Core;
using IoTMesh.Driver;

namespace IoTMesh.Simulation;

/// <summary>A link whose frames, sent and received, are also told to a watch. Bare acks do not say who sent them: transmitter 0.</summary>
/// <param name="address">Of the node the link belongs to.</param>
public sealed class CapturedLink(IWakeableLink inner, ushort address, IFrameWatch watch) : IWakeableLink
{
    public int MaxFrameLength => inner.MaxFrameLength;

    public bool Send(ushort linkDestination, byte[] buffer, int offset, int count)
    {
        bool isSent = inner.Send(linkDestination, buffer, offset, count);
        watch.FrameEnded(new AirFrame(LiveCapture.UtcUs, address, linkDestination, buffer.AsSpan(offset, Math.Max(0, count)), [], !isSent));
        return isSent;
    }

    public int Receive(byte[] buffer, int timeoutMs, out sbyte rssiDbm)
    {
        int length = inner.Receive(buffer, timeoutMs, out rssiDbm);
        if (length > 0)
        {
            bool hasAddresses = length >= FrameFormat.NarrowLength && !FrameFormat.IsAck(FrameFormat.GetType(buffer[0]));
            ushort from = hasAddresses ? Bytes.GetU16(buffer, FrameFormat.OffsetSource) : MeshAddress.None;
            ushort to = hasAddresses ? Bytes.GetU16(buffer, FrameFormat.OffsetDestination) : address;
            Reception here = new(address, rssiDbm, Fate.Delivered);
            watch.FrameEnded(new AirFrame(LiveCapture.UtcUs, from, to, buffer.AsSpan(0, length), [here], isCutShort: false));
        }

        return length;
    }

    public void Wake() => inner.Wake();

    public void Close() => inner.Close();
}
