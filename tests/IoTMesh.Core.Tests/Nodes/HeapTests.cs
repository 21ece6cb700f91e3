using System.Reflection;
using Xunit.Abstractions;

namespace IoTMesh.Core.Tests.Nodes;

/// <summary>
/// What a node takes of the device's managed heap, in the interpreter's object model: an object 12 bytes and 12 for each
/// field, an array 24 bytes and its elements (which gives the two sizes measured there), all in steps of 12; 12 for a
/// reference is assumed. docs/architecture.md.
/// </summary>
public class HeapTests(ITestOutputHelper log)
{
    private const int Step = 12;
    private const int ArrayHeader = 24;
    private const int MaxBytes = 45_000;

    // As the node firmware sets it; the bound of a gateway is its own.
    private const int NodePeers = 32;

    [Theory]
    [InlineData(32, 60)]
    [InlineData(250, 276)]
    public void Array_sizes_are_those_measured_on_the_interpreter(int length, int expected)
    {
        Assert.Equal(expected, SizeOf(new byte[length]));
    }

    [Fact]
    public void Node_with_the_bounds_of_the_firmware_leaves_the_device_half_its_heap()
    {
        var crypto = new PlatformCrypto();
        var keys = new MeshKeys
        {
            NetworkKey = MiniMesh.NetworkKey,
            DeviceKey = SiteKeys.CreateDeviceKey(crypto, MiniMesh.SiteSecret, 2),
            PairwiseShare = PairwiseKeys.CreateShare(crypto, MiniMesh.SiteSecret, 2),
        };
        var node = new MeshNode(new MeshConfig { Address = 2, MaxPeers = NodePeers }, keys, crypto, 1, null);
        var seen = new HashSet<object>(ReferenceEqualityComparer.Instance) { node };
        int total = SizeOf(node);
        var parts = new List<(string Name, int Bytes)> { ("MeshNode itself", total) };
        foreach (FieldInfo field in FieldsOf(node))
        {
            int bytes = Walk(field.GetValue(node), seen);
            total += bytes;
            parts.Add((field.Name, bytes));
        }

        foreach ((string name, int bytes) in parts.OrderByDescending(part => part.Bytes).Where(part => part.Bytes > 0))
        {
            log.WriteLine($"| {name} | {bytes} |");
        }

        log.WriteLine($"| total | {total} |");
        Assert.True(seen.Count > 100, $"only {seen.Count} objects found: the walk does not reach the tables");
        Assert.InRange(total, 20_000, MaxBytes);
    }

    private static int Walk(object? root, HashSet<object> seen)
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

            bytes += SizeOf(next);
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

    private static int SizeOf(object value)
    {
        int bytes;
        if (value is Array array)
        {
            Type element = array.GetType().GetElementType()!;
            bytes = ArrayHeader + (array.Length * (element.IsPrimitive ? System.Runtime.InteropServices.Marshal.SizeOf(element) : Step));
            bytes = element == typeof(bool) ? ArrayHeader + array.Length : bytes;
        }
        else
        {
            bytes = Step + (Step * FieldsOf(value).Count());
        }

        return (bytes + Step - 1) / Step * Step;
    }

    private static IEnumerable<FieldInfo> FieldsOf(object value)
    {
        return value.GetType().GetFields(BindingFlags.Instance | BindingFlags.Public | BindingFlags.NonPublic);
    }
}
