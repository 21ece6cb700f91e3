using IoTMesh.Core;

namespace IoTMesh.Core.Tests.Security;

/// <summary>protocol.md 9.</summary>
public class CounterRecordTests
{
    private static byte[] Stored(CounterRecord record)
    {
        byte[] buffer = new byte[CounterRecord.Length];
        record.Emit(buffer);
        return buffer;
    }

    [Fact]
    public void Nothing_may_be_sent_before_the_first_store()
    {
        var record = new CounterRecord(null);
        Assert.False(record.CanSendFrame || record.CanSendMessage || record.CanRaiseSeqNo);
        record.Stored();
        Assert.True(record.CanSendFrame && record.CanSendMessage && record.CanRaiseSeqNo);
    }

    [Fact]
    public void A_restart_goes_on_a_block_behind_the_reserved_ones()
    {
        var first = new CounterRecord(null);
        byte[] stored = Stored(first);
        first.Stored();
        var second = new CounterRecord(stored);
        Assert.Equal((ushort)2, second.Boot);
        Assert.False(second.IsFirstBoot);
        Assert.Equal(1 + (2 * CounterRecord.FrameBlock), second.NextFrame);
        Assert.Equal(1 + (2 * CounterRecord.MessageBlock), second.NextMessage);
        Assert.Equal(1 + CounterRecord.SeqNoBlock, second.SeqNo);
    }

    [Fact]
    public void A_block_ends_where_it_was_stored()
    {
        var record = new CounterRecord(null);
        record.Stored();
        uint end = record.NextFrame + CounterRecord.FrameBlock;
        record.NextFrame = end - 1;
        Assert.True(record.CanSendFrame && record.NeedsStore);
        record.NextFrame = end;
        Assert.False(record.CanSendFrame);
        record.Reserve();
        Assert.False(record.CanSendFrame);
        record.Stored();
        Assert.True(record.CanSendFrame);
    }

    [Fact]
    public void Any_damaged_byte_or_length_is_refused()
    {
        byte[] stored = Stored(new CounterRecord(null));
        Assert.True(CounterRecord.IsValid(stored));
        for (int bit = 0; bit < stored.Length * 8; bit++)
        {
            byte[] broken = [.. stored];
            broken[bit / 8] ^= (byte)(1 << (bit % 8));
            Assert.False(CounterRecord.IsValid(broken), $"bit {bit}");
        }

        for (int length = 0; length < stored.Length; length++)
        {
            Assert.False(CounterRecord.IsValid(stored[..length]));
        }

        Assert.False(CounterRecord.IsValid([.. stored, 0]));
        Assert.False(CounterRecord.IsValid(null));
    }

    [Fact]
    public void A_node_refuses_to_start_from_a_damaged_record()
    {
        byte[] stored = Stored(new CounterRecord(null));
        stored[5] ^= 1;
        var keys = new MeshKeys { NetworkKey = new byte[16] };
        var problem = Assert.Throws<ArgumentException>(
            () => new MeshNode(new MeshConfig { Address = 5 }, keys, new PlatformCrypto(), 1, stored));
        Assert.Contains("stored counters are damaged", problem.Message, StringComparison.Ordinal);
    }
}
