using IoTMesh.Core;
using IoTMesh.Gateway.Service;

namespace IoTMesh.Gateway.Tests.Keys;

public sealed class RefusalLimitTests
{
    [Fact]
    public void One_that_asks_again_and_again_is_told_once_a_minute_and_many_are_told_few_times()
    {
        var limit = new RefusalLimit();
        Assert.True(limit.MayTell(JoinVerdict.NotEnrolled, 7, 0, out int suppressed));
        Assert.Equal(0, suppressed);
        Assert.False(limit.MayTell(JoinVerdict.NotEnrolled, 7, 59_999, out _));
        Assert.True(limit.MayTell(JoinVerdict.NotEnrolled, 7, 60_000, out suppressed));
        Assert.Equal(1, suppressed);

        int told = Enumerable.Range(100, 10_000).Count(a => limit.MayTell(JoinVerdict.NotEnrolled, (ushort)a, 60_001, out _));
        Assert.Equal(RefusalLimit.PerMinute - 1, told);

        // Another cause is not drowned by it.
        Assert.True(limit.MayTell(JoinVerdict.Revoked, 8, 60_001, out suppressed));
        Assert.Equal(0, suppressed);
        Assert.True(limit.MayTell(JoinVerdict.NotEnrolled, 9, 120_001, out suppressed));
        Assert.Equal(10_000 - told, suppressed);
    }
}
