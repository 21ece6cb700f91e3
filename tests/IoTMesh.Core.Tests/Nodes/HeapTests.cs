using System.Reflection;
using Xunit.Abstractions;

namespace IoTMesh.Core.Tests.Nodes;

/// <summary>
/// What a node takes of the device's managed heap. The bound is in a plain model of 32-bit objects: an object 12 bytes and 12 for
/// each field, an array 16 bytes and its elements, an element that is a reference 12. Printed beside it, the model that gives the
/// two array sizes measured on the interpreter: 24 bytes and the elements, all in steps of 12. docs/architecture.md.
/// </summary>
public class HeapTests(ITestOutputHelper log)
{
    private const int FieldBytes = 12;
    private const int MaxBytes = 40_960;
    private static readonly Model Plain = new(16, 1);
    private static readonly Model Measured = new(24, 12);

    [Theory]
    [InlineData(32, 60)]
    [InlineData(250, 276)]
    public void Array_sizes_are_those_measured_on_the_interpreter(int length, int expected)
    {
        Assert.Equal(expected, Measured.SizeOf(new byte[length]));
    }

    [Fact]
    public void Node_for_a_mesh_of_100_with_16_neighbors_stays_within_40_kB()
    {
        // The defaults are what the firmware runs with; a gateway sets larger bounds.
        var config = new MeshConfig { Address = 2 };
        Assert.True(config.MaxRoutes >= 99 && config.MaxNeighbors >= 16, "the bound is for 100 nodes and 16 neighbors");
        MeshNode node = Create(config);
        Dictionary<string, int> plain = PartsOf(node, Plain);
        Dictionary<string, int> measured = PartsOf(node, Measured);
        foreach (string name in plain.Keys.OrderByDescending(name => plain[name]))
        {
            log.WriteLine($"| {name} | {plain[name]} | {measured[name]} |");
        }

        log.WriteLine($"| total | {plain.Values.Sum()} | {measured.Values.Sum()} |");
        Assert.InRange(plain.Values.Sum(), 20_000, MaxBytes);
    }

    /// <summary>The bytes per entry that docs/architecture.md names, in the plain model; a new column has to be paid for there.</summary>
    [Theory]
    [InlineData(nameof(MeshConfig.MaxNeighbors), 120)]
    [InlineData(nameof(MeshConfig.MaxRoutes), 52)]
    [InlineData(nameof(MeshConfig.MaxQueued), 304)]
    [InlineData(nameof(MeshConfig.MaxPeers), 60)]
    [InlineData(nameof(MeshConfig.MaxPending), 224)]
    [InlineData(nameof(MeshConfig.MaxDuplicates), 6)]
    [InlineData(nameof(MeshConfig.MaxOutputs), 10)]
    public void Each_entry_of_a_table_takes_no_more_than_the_budget(string bound, int maxBytes)
    {
        const int More = 32;
        FieldInfo field = typeof(MeshConfig).GetField(bound)!;
        var config = new MeshConfig { Address = 2 };
        int before = PartsOf(Create(config), Plain).Values.Sum();
        field.SetValue(config, (int)field.GetValue(config)! + More);
        double each = (PartsOf(Create(config), Plain).Values.Sum() - before) / (double)More;
        log.WriteLine($"{bound}: {each} bytes each");
        Assert.InRange(each, 1, maxBytes);
    }

    private static MeshNode Create(MeshConfig config)
    {
        var crypto = new PlatformCrypto();
        var keys = new MeshKeys
        {
            NetworkKey = MiniMesh.NetworkKey,
            DeviceKey = SiteKeys.CreateDeviceKey(crypto, MiniMesh.SiteSecret, 2),
            PairwiseShare = PairwiseKeys.CreateShare(crypto, MiniMesh.SiteSecret, 2),
        };
        return new MeshNode(config, keys, crypto, 1, null);
    }

    private static Dictionary<string, int> PartsOf(MeshNode node, Model model)
    {
        var seen = new HashSet<object>(ReferenceEqualityComparer.Instance) { node };
        var parts = new Dictionary<string, int> { ["MeshNode itself"] = model.SizeOf(node) };
        foreach (FieldInfo field in FieldsOf(node))
        {
            int bytes = Walk(field.GetValue(node), seen, model);
            if (bytes > 0)
            {
                parts.Add(field.Name, bytes);
            }
        }

        Assert.True(seen.Count > 100, $"only {seen.Count} objects found: the walk does not reach the tables");
        return parts;
    }

    private static int Walk(object? root, HashSet<object> seen, Model model)
    {
        int bytes = 0;
        var waiting = new Stack<object?>();
        waiting.Push(root);
        while (waiting.TryPop(out object? next))
        {
            // A string is a literal in flash; classes of the platform are natives of another size on the device.
            bool counts = next is Array || next?.GetType().Assembly == typeof(MeshNode).Assembly;
            if (next == null || !counts || next.GetType().IsValueType || !seen.Add(next))
            {
                continue;
            }

            bytes += model.SizeOf(next);
            if (next is Array array)
            {
                if (!array.GetType().GetElementType()!.IsPrimitive)
                {
                    foreach (object? element in array)
                    {
                        waiting.Push(element);
                    }
                }
            }
            else
            {
                foreach (FieldInfo field in FieldsOf(next).Where(field => !field.FieldType.IsValueType))
                {
                    waiting.Push(field.GetValue(next));
                }
            }
        }

        return bytes;
    }

    private static IEnumerable<FieldInfo> FieldsOf(object value)
    {
        return value.GetType().GetFields(BindingFlags.Instance | BindingFlags.Public | BindingFlags.NonPublic);
    }

    /// <param name="ArrayBytes">Of an array without its elements.</param>
    /// <param name="Step">What every size is rounded up to.</param>
    private sealed record Model(int ArrayBytes, int Step)
    {
        internal int SizeOf(object value)
        {
            int bytes = FieldBytes;
            if (value is Array array)
            {
                Type element = array.GetType().GetElementType()!;
                int elementBytes = !element.IsPrimitive ? FieldBytes
                    : element == typeof(bool) ? 1 : System.Runtime.InteropServices.Marshal.SizeOf(element);
                bytes = ArrayBytes + (array.Length * elementBytes);
            }
            else
            {
                bytes += FieldBytes * FieldsOf(value).Count();
            }

            return (bytes + Step - 1) / Step * Step;
        }
    }
}
