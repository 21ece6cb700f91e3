using IoTMesh.Gateway.Live;
using IoTMesh.Gateway.Pages;

namespace IoTMesh.Gateway.Tests.Pages;

public sealed class DisplayTests
{
    [Theory]
    [InlineData(21.372, "°C", "21.4 °C")]
    [InlineData(0.517, "", "0.52")]
    [InlineData(1013.27, "hPa", "1,013.3 hPa")]
    [InlineData(148_213, "B", "148.2 kB")]
    [InlineData(23_884_451.8, "kB", "23.9 GB")]
    [InlineData(3_725, "s", "1 h 2 min")]
    [InlineData(double.NaN, "°C", "? °C")]
    public void Values_have_units_and_no_more_digits_than_one_reads(double value, string unit, string expected) =>
        Assert.Equal(expected, Display.Value(Reading(value, unit, 20.5)));

    [Fact]
    public void Whole_numbers_stay_whole_only_while_all_are() =>
        Assert.Equal(("55", "55.0"), (Display.Value(Reading(55, "", 54, 55)), Display.Value(Reading(55, "", 54.2, 55))));

    [Fact]
    public void Names_are_sorted_by_number() =>
        Assert.Equal(["a", "node 2", "node 10"], new[] { "node 10", "a", "node 2" }.Order(Display.NameOrder));

    [Theory]
    [InlineData(0, "now")]
    [InlineData(42, "42 s ago")]
    [InlineData(600, "10 min ago")]
    [InlineData(90_000, "25 h ago")]
    public void Ages_are_rounded_down(int seconds, string expected)
    {
        DateTimeOffset now = DateTimeOffset.UnixEpoch.AddDays(9);
        Assert.Equal(expected, Display.Ago(now.AddSeconds(-seconds), now));
    }

    private static ReadingView Reading(double value, string unit, params double[] history) =>
        new("x", "X", value, unit, DateTimeOffset.UnixEpoch, history);
}
