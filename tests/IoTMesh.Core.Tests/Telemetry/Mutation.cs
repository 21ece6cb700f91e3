namespace IoTMesh.Core.Tests.Telemetry;

/// <summary>Damaged copies of valid bytes, for fuzzing decoders.</summary>
internal static class Mutation
{
    internal static byte[] Of(byte[] bytes, Random random)
    {
        var damaged = new List<byte>(bytes);
        int changes = random.Next(1, 4);
        for (int i = 0; i < changes; i++)
        {
            int at = damaged.Count == 0 ? 0 : random.Next(damaged.Count);
            switch (random.Next(4))
            {
                case 0 when damaged.Count > 0:
                    damaged[at] ^= (byte)(1 << random.Next(8));
                    break;
                case 1 when damaged.Count > 0:
                    damaged[at] = (byte)random.Next(256);
                    break;
                case 2 when damaged.Count > 0:
                    damaged.RemoveRange(at, random.Next(1, damaged.Count - at + 1));
                    break;
                default:
                    damaged.Insert(at, (byte)random.Next(256));
                    break;
            }
        }

        return [.. damaged];
    }
}
