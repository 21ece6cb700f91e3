using System.Buffers.Binary;
using System.Text;

namespace IoTMesh.Simulation;

/// <summary>
/// Writes link frames as a pcapng capture (draft-ietf-opsawg-pcapng) of one interface with link type USER0: in front of each frame
/// stands the capture header of docs/simulator.md. Wireshark reads it with hardware/wireshark/iotmesh.lua. Thread-safe.
/// </summary>
public sealed class PcapngWriter : IFrameWatch, IDisposable
{
    /// <summary>LINKTYPE_USER0 of the tcpdump registry.</summary>
    public const ushort LinkType = 147;

    /// <summary>Of the capture header, without receptions.</summary>
    public const int HeaderLength = 8;

    /// <summary>Of each reception in the capture header.</summary>
    public const int ReceptionLength = 4;

    private const byte HeaderVersion = 1;
    private const byte FlagCutShort = 1;
    private const int FlagsAt = 1;
    private const int LengthAt = 2;
    private const int TransmitterAt = 4;
    private const int DestinationAt = 6;

    private const uint SectionBlock = 0x0A0D0D0A;
    private const uint InterfaceBlock = 1;
    private const uint PacketBlock = 6;
    private const uint ByteOrderMagic = 0x1A2B3C4D;
    private const ushort OptionComment = 1;
    private const ushort OptionName = 2;
    private const ushort OptionDescription = 3;
    private const ushort OptionApplication = 4;
    private const ushort OptionResolution = 9;
    private const byte Microseconds = 6;

    // Comments that nobody has a frame for are not kept without end.
    private const int CommentsMax = 64;

    private readonly Lock _gate = new();
    private readonly Stream _stream;
    private readonly List<string> _comments = [];
    private readonly MemoryStream _block = new();
    private readonly MemoryStream _head = new();

    /// <summary>Writes the section and the interface.</summary>
    /// <param name="stream">Is owned: disposed with the writer.</param>
    /// <param name="name">Of the interface, for people: the run.</param>
    /// <param name="description">Where the frames come from.</param>
    public PcapngWriter(Stream stream, string name, string description)
    {
        _stream = stream;
        Put32(ByteOrderMagic);
        Put32(1); // major 1, minor 0
        Put32(uint.MaxValue);
        Put32(uint.MaxValue); // the section's length is not given
        PutOption(OptionApplication, "iotmesh");
        PutBlock(SectionBlock, hasOptions: true);

        Put32(LinkType);
        Put32(0); // no snap length
        PutOption(OptionName, name);
        PutOption(OptionDescription, description);
        PutOption(OptionResolution, [Microseconds]);
        PutBlock(InterfaceBlock, hasOptions: true);
    }

    /// <summary>Frames written so far.</summary>
    public long Frames { get; private set; }

    /// <summary>Puts a comment on the next frame.</summary>
    public void Comment(string text)
    {
        lock (_gate)
        {
            if (_comments.Count < CommentsMax)
            {
                _comments.Add(text);
            }
        }
    }

    /// <exception cref="IOException">The stream cannot take it.</exception>
    public void FrameEnded(in AirFrame frame)
    {
        lock (_gate)
        {
            PutHeader(frame);
            int length = (int)_head.Length + frame.Bytes.Length;
            Put32(0); // the interface
            Put32((uint)(frame.EndUs >> 32));
            Put32((uint)frame.EndUs);
            Put32((uint)length);
            Put32((uint)length);
            _block.Write(_head.GetBuffer(), 0, (int)_head.Length);
            _block.Write(frame.Bytes);
            Pad();
            foreach (string comment in _comments)
            {
                PutOption(OptionComment, comment);
            }

            PutBlock(PacketBlock, _comments.Count > 0);
            _comments.Clear();
            Frames++;
        }
    }

    public void Dispose()
    {
        lock (_gate)
        {
            _stream.Dispose();
        }
    }

    private void PutHeader(in AirFrame frame)
    {
        int length = HeaderLength + (frame.Receptions.Length * ReceptionLength);
        Span<byte> fixedPart = stackalloc byte[HeaderLength];
        fixedPart[0] = HeaderVersion;
        fixedPart[FlagsAt] = frame.IsCutShort ? FlagCutShort : (byte)0;
        BinaryPrimitives.WriteUInt16LittleEndian(fixedPart[LengthAt..], (ushort)length);
        BinaryPrimitives.WriteUInt16LittleEndian(fixedPart[TransmitterAt..], frame.Transmitter);
        BinaryPrimitives.WriteUInt16LittleEndian(fixedPart[DestinationAt..], frame.LinkDestination);
        _head.SetLength(0);
        _head.Write(fixedPart);
        foreach (Reception reception in frame.Receptions)
        {
            _head.WriteByte((byte)reception.Node);
            _head.WriteByte((byte)(reception.Node >> 8));
            _head.WriteByte((byte)reception.RssiDbm);
            _head.WriteByte((byte)reception.Fate);
        }
    }

    private void Put32(uint value)
    {
        Span<byte> bytes = stackalloc byte[sizeof(uint)];
        BinaryPrimitives.WriteUInt32LittleEndian(bytes, value);
        _block.Write(bytes);
    }

    private void PutOption(ushort code, string text)
    {
        byte[] utf8 = Encoding.UTF8.GetBytes(text);
        PutOption(code, utf8.AsSpan(0, Math.Min(utf8.Length, short.MaxValue)));
    }

    private void PutOption(ushort code, ReadOnlySpan<byte> value)
    {
        Put32(code | ((uint)value.Length << 16));
        _block.Write(value);
        Pad();
    }

    private void Pad()
    {
        while (_block.Length % sizeof(uint) != 0)
        {
            _block.WriteByte(0);
        }
    }

    /// <summary>Writes what was put, framed by type and length, and starts anew.</summary>
    private void PutBlock(uint type, bool hasOptions)
    {
        if (hasOptions)
        {
            Put32(0); // opt_endofopt
        }

        uint length = (uint)_block.Length + (3 * sizeof(uint));
        Span<byte> frame = stackalloc byte[2 * sizeof(uint)];
        BinaryPrimitives.WriteUInt32LittleEndian(frame, type);
        BinaryPrimitives.WriteUInt32LittleEndian(frame[sizeof(uint)..], length);
        _stream.Write(frame);
        _stream.Write(_block.GetBuffer(), 0, (int)_block.Length);
        _stream.Write(frame[sizeof(uint)..]);
        _block.SetLength(0);
    }
}
