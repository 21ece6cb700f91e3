using System.Collections.Concurrent;
using IoTMesh.Core;

namespace IoTMesh.Driver.Tests.Bench;

/// <summary>A message as it reached an application.</summary>
public sealed record Delivered(ushort Origin, byte Port, byte[] Payload, bool IsReading, ushort Boot, uint ReadingSeq, byte Hops);

/// <summary>An application that keeps what it is told (readable from any thread) and, as a gateway does, releases each reading at once.</summary>
public sealed class TestGateway : IMeshApplication
{
    public ConcurrentQueue<Delivered> Messages { get; } = [];

    public ConcurrentQueue<(int Tag, SendResult Result, int Token)> Posted { get; } = [];

    public ConcurrentQueue<(int Token, bool Success)> Completed { get; } = [];

    public MeshDriver Driver { get; private set; } = null!;

    /// <summary>Makes every call throw.</summary>
    public bool IsBroken { get; set; }

    /// <summary>Counts instead of keeping, so that nothing is allocated.</summary>
    public bool IsCountingOnly { get; set; }

    public int Count { get; private set; }

    public bool ReleasesReadings { get; set; } = true;

    public long NextDeadlineMs { get; set; } = long.MaxValue;

    public int Timeouts { get; private set; }

    public IEnumerable<Delivered> Readings => Messages.Where(message => message.IsReading);

    public void HandleStarted(long nowMs, MeshDriver driver)
    {
        Driver = driver;
    }

    public void HandleOutput(long nowMs, MeshOutput output)
    {
        if (IsBroken)
        {
            throw new InvalidOperationException("application broken on purpose");
        }

        if (output.Kind == OutputKind.Deliver)
        {
            Count++;
            if (!IsCountingOnly)
            {
                byte[] payload = output.Buffer[..output.Length];
                Messages.Enqueue(new(output.Origin, output.Port, payload, output.IsReading, output.Boot, output.ReadingSeq, output.Hops));
            }

            if (output.IsReading && ReleasesReadings)
            {
                Driver.TryReleaseCustody(output.Origin, output.Boot, output.ReadingSeq);
            }
        }
        else if (output.Kind == OutputKind.SendCompleted && !IsCountingOnly)
        {
            Completed.Enqueue((output.Token, output.Success));
        }
    }

    public void HandlePosted(long nowMs, int tag, SendResult result, int token)
    {
        if (!IsCountingOnly)
        {
            Posted.Enqueue((tag, result, token));
        }
    }

    public void HandleTimeout(long nowMs)
    {
        Timeouts++;
        if (IsBroken)
        {
            throw new InvalidOperationException("application broken on purpose");
        }

        NextDeadlineMs = long.MaxValue;
    }
}
