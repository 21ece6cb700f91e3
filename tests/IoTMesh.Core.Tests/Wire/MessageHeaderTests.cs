using IoTMesh.Core;

namespace IoTMesh.Core.Tests.Wire;

/// <summary>protocol.md 4.1.</summary>
public class MessageHeaderTests
{
    private static MessageHeader Draw(Random random, ushort linkSource)
    {
        bool wide = random.Next(2) == 0;
        ushort destination = random.Next(3) switch
        {
            0 => MeshAddress.AnyGateway,
            1 => MeshAddress.All,
            _ => (ushort)random.Next(1, 0xFFF0),
        };
        return new MessageHeader
        {
            Kind = (byte)random.Next(MessageKind.Max + 1),
            HopLimit = (byte)random.Next(1, 256),
            Origin = random.Next(2) == 0 ? linkSource : (ushort)random.Next(1, 0xFFF0),
            Destination = destination,
            Via = random.Next(2) == 0 ? MeshAddress.None : (ushort)random.Next(1, 0xFFF0),
            IsWide = wide,
            Counter = wide ? (uint)random.NextInt64(1L << 32) : (uint)random.Next(0x10000),
            Boot = wide ? (ushort)random.Next(0x10000) : (ushort)0,
            BodyLength = random.Next(MessageHeader.TagLength, 200),
        };
    }

    [Fact]
    public void Emit_and_parse_agree_for_random_headers()
    {
        var random = new Random(11);
        byte[] buffer = new byte[300];
        var parsed = new MessageHeader();
        for (int i = 0; i < 100_000; i++)
        {
            ushort linkSource = (ushort)random.Next(1, 0xFFF0);
            bool withLength = random.Next(2) == 0;
            int offset = random.Next(5);
            MessageHeader header = Draw(random, linkSource);
            int at = header.Emit(buffer, offset, linkSource, withLength);
            Assert.Equal(offset + header.EmitLength(linkSource, withLength), at);
            Assert.True(at - offset <= MessageHeader.MaxLength);
            int behind = withLength ? random.Next(20) : 0;
            Assert.Equal(ParseError.None, parsed.Parse(buffer, offset, at + header.BodyLength + behind, linkSource));
            Assert.Equal(
                (header.Kind, header.HopLimit, header.Origin, header.Destination, header.Via, header.IsWide),
                (parsed.Kind, parsed.HopLimit, parsed.Origin, parsed.Destination, parsed.Via, parsed.IsWide));
            Assert.Equal((header.Counter, header.Boot, at, header.BodyLength), (parsed.Counter, parsed.Boot, parsed.BodyOffset, parsed.BodyLength));
        }
    }

    [Fact]
    public void Every_cut_of_a_message_is_refused()
    {
        var random = new Random(12);
        byte[] buffer = new byte[300];
        var parsed = new MessageHeader();
        for (int i = 0; i < 2_000; i++)
        {
            MessageHeader header = Draw(random, 7);
            int end = header.Emit(buffer, 0, 7, true) + header.BodyLength;
            for (int cut = 0; cut < end; cut++)
            {
                Assert.NotEqual(ParseError.None, parsed.Parse(buffer, 0, cut, 7));
            }
        }
    }

    [Theory]
    [InlineData("00 00 0100 1122334455667788", ParseError.BadAddress)] // hop limit 0
    [InlineData("08 05 0000 0100 1122334455667788", ParseError.BadAddress)] // origin none
    [InlineData("08 05 f0ff 0100 1122334455667788", ParseError.BadAddress)] // origin reserved
    [InlineData("04 05 0000 0100 1122334455667788", ParseError.BadAddress)] // destination none
    [InlineData("04 05 f0ff 0100 1122334455667788", ParseError.BadAddress)] // destination reserved
    [InlineData("00 05 0100 11223344556677", ParseError.BadLength)] // shorter than a tag
    [InlineData("01 05 0100 07 1122334455667788", ParseError.BadLength)]
    [InlineData("01 05 0100 09 1122334455667788", ParseError.BadLength)]
    [InlineData("10 05 01000000 01", ParseError.TooShort)]
    [InlineData("00", ParseError.TooShort)]
    public void Bad_headers_are_told_apart(string hex, ParseError expected)
    {
        byte[] message = Convert.FromHexString(hex.Replace(" ", "", StringComparison.Ordinal));
        Assert.Equal(expected, new MessageHeader().Parse(message, 0, message.Length, 7));
    }
}
