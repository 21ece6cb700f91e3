using System.Reflection;
using IoTMesh.Core;

namespace IoTMesh.Simulation.Tests;

/// <summary>What the simulated world remembers must not grow with the length of a run, else a soak shows its memory and not that of nodes.</summary>
public class MemoryTests : IVirtualMeshObserver
{
    private const long Second = 1_000_000;
    private const int GrowthBytesMax = 4_096;

    // Found by `iotmesh sim soak`: 25 kB an hour were the logs in flash and what gateways remember of each boot.
    [Fact]
    public void Restarts_and_readings_kept_in_flash_take_no_more_memory_with_time()
    {
        VirtualMesh mesh = new(Topology.Create(TopologyKind.Line, 3), 1, this);
        for (int node = 1; node <= 3; node++)
        {
            mesh.Start(node);
        }

        List<long> bytes = [];
        for (int life = 0; life < 12; life++)
        {
            Live(mesh);
            bytes.Add(ReachableBytes(mesh));
        }

        Assert.True(bytes[^1] - bytes[1] <= GrowthBytesMax, $"reachable bytes after each life: {string.Join(", ", bytes)}");
    }

    /// <summary>Two minutes of readings with the gateway away, so that they go to flash, and one in which they arrive; then a restart.</summary>
    private static void Live(VirtualMesh mesh)
    {
        mesh.GatewayDown(1);
        long from = mesh.NowUs;
        for (int second = 0; second < 120; second++)
        {
            mesh.RunUntil(from + (second * Second));
            mesh.SendReading(3, new byte[20], 20, out _);
        }

        mesh.GatewayUp(1);
        mesh.RunUntil(from + (180 * Second));
        mesh.Kill(3);
        mesh.Start(3);
        mesh.RunUntil(from + (190 * Second));
    }

    /// <summary>A measure of all objects that can be reached: 8 bytes a field, and the elements of arrays.</summary>
    private static long ReachableBytes(object root)
    {
        HashSet<object> seen = new(ReferenceEqualityComparer.Instance) { root };
        Stack<object> open = new([root]);
        long bytes = 0;
        while (open.TryPop(out object? item))
        {
            Type type = item.GetType();
            if (item is string or MemberInfo or Pointer)
            {
                continue;
            }

            if (item is Array array)
            {
                Type element = type.GetElementType()!;
                bytes += element.IsPrimitive ? Buffer.ByteLength(array) : array.Length * 8L;
                if (!element.IsPrimitive && !element.IsEnum)
                {
                    array.Cast<object?>().ToList().ForEach(value => Add(value, element));
                }

                continue;
            }

            AddFields(item, type);
        }

        return bytes;

        void Add(object? value, Type type)
        {
            if (value is not null && type.IsValueType)
            {
                AddFields(value, type);
            }
            else if (value is not null && seen.Add(value))
            {
                open.Push(value);
            }
        }

        void AddFields(object item, Type type)
        {
            const BindingFlags Own = BindingFlags.Instance | BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.DeclaredOnly;
            for (Type? at = type; at is not null && at != typeof(object); at = at.BaseType)
            {
                foreach (FieldInfo field in at.GetFields(Own))
                {
                    bytes += 8;
                    if (!field.FieldType.IsPrimitive && !field.FieldType.IsEnum && !field.FieldType.IsPointer && !field.FieldType.IsByRefLike)
                    {
                        Add(field.GetValue(item), field.FieldType);
                    }
                }
            }
        }
    }

    void IVirtualMeshObserver.Delivered(int node, MeshOutput output)
    {
    }

    void IVirtualMeshObserver.Committed(int node, ReadingKey key, bool isNew)
    {
    }

    void IVirtualMeshObserver.RouteChanged(int node, ushort destination)
    {
    }

    void IVirtualMeshObserver.Called(int id)
    {
    }

    void IVirtualMeshObserver.Violated(string what) => Assert.Fail(what);
}
