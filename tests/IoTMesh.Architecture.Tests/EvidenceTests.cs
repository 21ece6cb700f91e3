using System.Text.RegularExpressions;

namespace IoTMesh.Architecture.Tests;

/// <summary>docs/security.md claims nothing whose test is not there.</summary>
public sealed partial class EvidenceTests
{
    [Fact]
    public void Each_test_that_a_claim_names_exists()
    {
        string text = Repository.Read("docs/security.md");
        var named = Evidence().Matches(text).Select(m => (Class: m.Groups[1].Value, Method: m.Groups[2].Value)).Distinct().ToList();
        Assert.True(named.Count > 20, $"only {named.Count} tests are named");
        IEnumerable<string> files = Repository.WithExtension(".cs").Where(f => f.StartsWith("tests/", StringComparison.Ordinal));
        List<string> sources = [.. files.Select(Repository.Read)];
        Report.None(
            from name in named
            where !sources.Any(s => s.Contains($"class {name.Class}", StringComparison.Ordinal)
                && Regex.IsMatch(s, $@"\[\w*(Fact|Theory)[^;{{]*? {name.Method}\("))
            select $"docs/security.md names {name.Class}.{name.Method}, which is no test");
    }

    [GeneratedRegex(@"`(\w+Tests)\.(\w+)`")]
    private static partial Regex Evidence();
}
