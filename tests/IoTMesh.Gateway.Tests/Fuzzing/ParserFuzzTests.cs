using IoTMesh.Gateway.Fuzzing;

namespace IoTMesh.Gateway.Tests.Fuzzing;

/// <summary><c>iotmesh fuzz</c> for a moment: the same inputs each time. Longer runs: docs/security.md.</summary>
public class ParserFuzzTests
{
    private const long Inputs = 20_000;

    public static TheoryData<string> Names => [.. Parsers.All.Select(p => p.Name)];

    [Theory]
    [MemberData(nameof(Names))]
    public void Damaged_inputs_break_no_parser(string name)
    {
        Parser parser = Parsers.All.Single(p => p.Name == name);
        FuzzResult result = new FuzzEngine(name, parser.Create, 1).Run(Inputs, TimeSpan.MaxValue, CancellationToken.None);
        Assert.Empty(result.Findings.Select(f => $"{f.What}: {f.Smallest ?? f.Hex}"));
        Assert.Equal(Inputs, result.Inputs);
        Assert.True(result.Outcomes > 1, "every input came to the same: the run shows nothing");
    }

    [Fact]
    public void The_same_seed_gives_the_same_inputs_and_another_seed_others()
    {
        Func<FuzzTarget> create = Parsers.All.Single(p => p.Name == "reading").Create;
        FuzzResult first = new FuzzEngine("reading", create, 7).Run(5_000, TimeSpan.MaxValue, CancellationToken.None);
        FuzzResult again = new FuzzEngine("reading", create, 7).Run(5_000, TimeSpan.MaxValue, CancellationToken.None);
        FuzzResult other = new FuzzEngine("reading", create, 8).Run(5_000, TimeSpan.MaxValue, CancellationToken.None);
        Assert.Equal((first.Outcomes, first.Corpus), (again.Outcomes, again.Corpus));
        Assert.NotEqual(first.Outcomes, other.Outcomes);
    }

    /// <summary>What the engine is there to find: each defect hides behind a byte that a valid input does not have.</summary>
    [Theory]
    [InlineData("throws", "IndexOutOfRangeException", "ff")]
    [InlineData("allocates", "allocates more than", "ff")]
    public void A_defect_is_found_and_its_input_made_small(string defect, string expected, string smallest)
    {
        FuzzResult result = new FuzzEngine(defect, () => new Defective(defect), 1).Run(20_000, TimeSpan.MaxValue, CancellationToken.None);
        FuzzFinding finding = Assert.Single(result.Findings);
        Assert.Contains(expected, finding.What, StringComparison.Ordinal);
        Assert.Equal(smallest, finding.Smallest);
    }

    [Fact]
    public void A_join_frame_without_a_message_is_told_as_a_problem()
    {
        Assert.NotNull(Core.FrameInspector.Decode(Convert.FromHexString("6b6003000400")).Problem);
    }

    [Fact]
    public void An_error_that_quotes_its_input_is_one_short_line_of_plain_text()
    {
        byte[] input = [.. "{ \"site\": t\x1b[31m\n"u8, .. Enumerable.Repeat((byte)'x', 5_000)];
        string message = Assert.Throws<Gateway.Settings.SettingsException>(() => Gateway.Settings.SettingsFile.Parse("s.json", input)).Message;
        Assert.DoesNotContain(message, char.IsControl);
        Assert.InRange(message.Length, 1, 300);
    }

    private sealed class Defective(string defect) : FuzzTarget
    {
        private static byte[] _kept = [];

        internal override IReadOnlyList<byte[]> Samples { get; } = [[1, 2, 3, 4, 5, 6, 7, 8]];

        internal override ulong Feed(byte[] input, int count)
        {
            bool isHit = input.AsSpan(0, count).Contains((byte)0xFF);
            switch (isHit ? defect : "")
            {
                case "throws":
                    return _kept[_kept.Length];
                case "allocates":
                    _kept = new byte[1_000_000];
                    return (ulong)_kept.Length;
                default:
                    return (ulong)count;
            }
        }
    }
}
