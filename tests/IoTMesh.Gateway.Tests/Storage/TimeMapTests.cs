using IoTMesh.Gateway.Storage;

namespace IoTMesh.Gateway.Tests.Storage;

public sealed class TimeMapTests
{
    private const long BootMs = 1_700_000_000_000;
    private readonly TimeMap _map = new();

    [Fact]
    public void The_fastest_frame_sets_the_time()
    {
        Assert.Equal(BootMs + 1000 + 400, Map(1, measuredMs: 1000, leftMs: 1000, delayMs: 400));
        Assert.Equal(BootMs + 3000 + 5, Map(2, measuredMs: 3000, leftMs: 3000, delayMs: 5));
        Assert.Equal(BootMs + 5000 + 5, Map(3, measuredMs: 5000, leftMs: 5000, delayMs: 300));
    }

    [Fact]
    public void A_reading_from_custody_gets_the_time_when_it_was_measured()
    {
        Map(1, 1000, 1000, 5);
        long late = Map(2, measuredMs: 2000, leftMs: 900_000, delayMs: 250);
        Assert.InRange(late - (BootMs + 2000 + 5), 0, 900_000 * TimeMap.DriftPpm / 1_000_000);
    }

    [Fact]
    public void Times_never_run_against_sequence_numbers()
    {
        long first = Map(1, 1000, 1000, 4000);
        long second = Map(2, 2000, 2000, 5);
        Assert.True(second >= first, $"{second} is before {first}");
        Assert.True(Map(4, 4000, 4000, 5) >= Map(3, 3000, 4500, 5), "a late one must not be after a later one");
    }

    [Fact]
    public void A_slow_crystal_does_not_hold_the_estimate_back()
    {
        // 50 ppm slow: after ten days the uptime is 43 s behind.
        const long tenDaysMs = 864_000_000;
        uint seq = 1;
        long errorMs = 0;
        for (long real = 0; real <= tenDaysMs; real += 600_000)
        {
            long uptime = (long)(real * 0.99995);
            long mapped = _map.Map("d", Reading(seq++, uptime, uptime, BootMs + real + 5));
            errorMs = Math.Max(errorMs, Math.Abs(mapped - (BootMs + real)));
        }

        Assert.True(errorMs < 200, $"{errorMs} ms off");
    }

    [Fact]
    public void A_step_of_the_wall_clock_moves_the_estimate()
    {
        _map.NoteWallClock(BootMs, 0);
        Map(1, 1000, 1000, 5);
        const long step = 86_400_000;
        _map.NoteWallClock(BootMs + step + 2000, 2000);
        Assert.Equal(BootMs + step + 3005, _map.Map("d", Reading(2, 3000, 3000, BootMs + step + 3005)));
    }

    [Fact]
    public void A_clock_from_the_registry_goes_on()
    {
        Map(1, 1000, 1000, 5);
        (string device, ushort boot, TimeMap.BootClock clock) = Assert.Single(_map.TakeChanged());
        var next = new TimeMap();
        next.Restore(device, boot, clock);
        Assert.InRange(next.Map("d", Reading(2, 2000, 60_000, BootMs + 60_700)), BootMs + 2005, BootMs + 2011);
    }

    [Fact]
    public void A_reading_of_an_earlier_boot_has_the_time_of_that_boot_however_long_its_node_was_without_power()
    {
        Map(1, 1000, 1000, 5);
        Delivery kept = Reading(2, 9_000, 60_000, BootMs + 86_400_000) with { IsKept = true };
        Assert.Equal(BootMs + 9_005, _map.Map("d", kept));

        // Of a boot that nobody heard, the latest time that is possible.
        Assert.Equal(BootMs + 86_400_000 - 51_000, _map.Map("d", kept with { Boot = 9 }));
    }

    private long Map(uint seq, long measuredMs, long leftMs, long delayMs)
    {
        return _map.Map("d", Reading(seq, measuredMs, leftMs, BootMs + leftMs + delayMs));
    }

    private static Delivery Reading(uint seq, long measuredMs, long leftMs, long arrivedMs)
    {
        return new Delivery(7, 0, 1, -60, true, 1, seq, measuredMs, leftMs, seq, [], arrivedMs);
    }
}
