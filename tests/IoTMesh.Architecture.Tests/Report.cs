namespace IoTMesh.Architecture.Tests;

/// <summary>One failure that lists every fault, instead of the first.</summary>
internal static class Report
{
    public static void None(IEnumerable<string> faults)
    {
        string[] all = [.. faults];
        Assert.True(all.Length == 0, $"{all.Length} fault(s):{Environment.NewLine}{string.Join(Environment.NewLine, all)}");
    }
}
