using IoTMesh.Core;

namespace IoTMesh.Core.Tests.Transport;

/// <summary>The filter behind mesh time. protocol.md 5.8.</summary>
public class MeshClockTests
{
    private const long Utc = 1_780_000_000_000;
    private const int Sigma = 16;
    private readonly MeshClock _clock = new();

    /// <summary>UTC of a local clock that is fast by so many ppm, with jitter of whole milliseconds.</summary>
    private static long TrueUtc(long localMs, int ppm) => Utc + localMs - (localMs * ppm / 1_000_000);

    private bool Observe(long localMs, long utcMs, int word) => _clock.Observe(localMs, utcMs * 16, Sigma, (ushort)word, 1);

    [Theory]
    [InlineData(40)]
    [InlineData(-40)]
    public void Rate_is_learned_within_minutes_and_carries_an_hour_of_silence(int ppm)
    {
        var jitter = new Random(3);
        for (int i = 0; i < 20; i++)
        {
            Assert.True(Observe(i * 64_000, TrueUtc(i * 64_000, ppm) + jitter.Next(-1, 2), i * 16));
        }

        long later = (19 * 64_000) + 3_600_000;
        Assert.InRange(_clock.UtcMs(later) - TrueUtc(later, ppm), -12, 12);
        Assert.InRange(_clock.ErrorMs(later), 2, 60);
        Assert.True(_clock.ErrorMs(later) > _clock.ErrorMs(later - 3_000_000));
    }

    [Fact]
    public void One_false_sample_moves_nothing_and_three_agreeing_words_do()
    {
        for (int i = 0; i < 10; i++)
        {
            Observe(i * 10_000, Utc + (i * 10_000), i * 3);
        }

        long now = 100_000;
        Assert.False(Observe(now, Utc + now + 5_000, 30));
        Assert.Equal(Utc + now, _clock.UtcMs(now));
        Assert.False(Observe(now, Utc + now + 5_000, 30));
        Assert.False(Observe(now + 10_000, Utc + now + 10_000 - 7_000, 33));
        Assert.False(Observe(now + 20_000, Utc + now + 20_000 + 5_000, 36));
        Assert.False(Observe(now + 30_000, Utc + now + 30_000 + 5_000, 39));
        Assert.True(Observe(now + 40_000, Utc + now + 40_000 + 5_000, 42));
        Assert.Equal(Utc + now + 45_000, _clock.UtcMs(now + 40_000));
        Assert.Equal(5, _clock.Refused);
    }

    [Fact]
    public void Another_source_that_is_off_by_less_than_a_second_is_approached_without_a_step()
    {
        for (int i = 0; i < 10; i++)
        {
            Observe(i * 10_000, Utc + (i * 10_000), i * 3);
        }

        long previous = _clock.UtcMs(90_000);
        for (long now = 91_000; now < 300_000; now += 1_000)
        {
            if (now % 10_000 == 0)
            {
                Observe(now, Utc + now - 300, (int)(now / 4_000));
            }

            long utc = _clock.UtcMs(now);
            Assert.InRange(utc - previous, 994, 1_006);
            previous = utc;
        }

        Assert.InRange(previous - (Utc + 299_000), -303, -297);
    }

    [Theory]
    [InlineData(0)]
    [InlineData((1L << 48) - 1)]
    public void Extreme_values_are_bounded(long utc16)
    {
        _clock.Observe(5, utc16, 0, 0, 1);
        for (int i = 1; i < 50; i++)
        {
            _clock.Observe(i * 1_000_000L, i % 2 == 0 ? (1L << 48) - 1 : 0, i % 3 == 0 ? 65_535 : 0, (ushort)i, 1);
            Assert.InRange(_clock.UtcMs(i * 1_000_000L), -200_000_000, (1L << 44) + 200_000_000);
            Assert.InRange(_clock.ErrorMs(i * 1_000_000L), 0, 60_000);
            Assert.InRange(_clock.Sigma16(i * 1_000_000L), 0, 65_535);
        }
    }
}
