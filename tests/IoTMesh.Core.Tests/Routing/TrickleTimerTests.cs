using IoTMesh.Core;

namespace IoTMesh.Core.Tests.Routing;

/// <summary>RFC 6206 section 4.2, rule by rule.</summary>
public class TrickleTimerTests
{
    private const int MinMs = 500;
    private const int MaxMs = 8000;

    private static TrickleTimer Create(uint seed = 1, long nowMs = 0)
    {
        var timer = new TrickleTimer(MinMs, MaxMs, 3, new Prng(seed));
        timer.Start(nowMs);
        return timer;
    }

    [Fact]
    public void The_time_to_transmit_lies_in_the_second_half_and_intervals_double_up_to_the_longest()
    {
        for (uint seed = 1; seed <= 200; seed++)
        {
            TrickleTimer timer = Create(seed);
            long begin = 0;
            int interval = MinMs;
            for (int i = 0; i < 8; i++)
            {
                Assert.InRange(timer.DueMs, begin + (interval / 2), begin + interval - 1);
                Assert.True(timer.HandleTimeout(timer.DueMs));
                Assert.Equal(begin + interval, timer.DueMs);
                Assert.False(timer.HandleTimeout(timer.DueMs));
                begin += interval;
                interval = Math.Min(interval * 2, MaxMs);
            }
        }
    }

    [Theory]
    [InlineData(2, true)]
    [InlineData(3, false)]
    [InlineData(4, false)]
    public void It_is_silent_where_k_consistent_transmissions_were_heard(int heard, bool transmits)
    {
        TrickleTimer timer = Create();
        for (int i = 0; i < heard; i++)
        {
            timer.HandleConsistent();
        }

        Assert.Equal(transmits, timer.HandleTimeout(timer.DueMs));
        timer.HandleTimeout(timer.DueMs);
        Assert.True(timer.HandleTimeout(timer.DueMs), "the count starts anew in each interval");
    }

    [Fact]
    public void A_reset_returns_to_the_shortest_interval_but_never_restarts_it()
    {
        TrickleTimer timer = Create();
        long due = timer.DueMs;
        timer.Reset(100);
        Assert.Equal(due, timer.DueMs);
        for (int i = 0; i < 8; i++)
        {
            timer.HandleTimeout(timer.DueMs);
        }

        long now = timer.DueMs - 1;
        timer.Reset(now);
        Assert.InRange(timer.DueMs, now + (MinMs / 2), now + MinMs - 1);
    }

    [Fact]
    public void Early_calls_do_nothing()
    {
        TrickleTimer timer = Create();
        long due = timer.DueMs;
        Assert.False(timer.HandleTimeout(due - 1));
        Assert.Equal(due, timer.DueMs);
    }
}
