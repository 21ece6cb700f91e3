namespace IoTMesh.Gateway.Fuzzing;

/// <summary>A parser behind one call, with valid inputs to start from. Not thread-safe.</summary>
internal abstract class FuzzTarget
{
    /// <summary>Valid inputs; what is fed to the parser is a damaged one of them.</summary>
    internal abstract IReadOnlyList<byte[]> Samples { get; }

    /// <summary>Longest input, bytes.</summary>
    internal virtual int InputBytesMax => 600;

    /// <summary>What one input may allocate at most, bytes.</summary>
    internal virtual long AllocatedBytesMax => 16 * 1024;

    /// <summary>Inputs are text: numbers, quotes and lines are what is changed.</summary>
    internal virtual bool IsText => false;

    /// <summary>Feeds one input. An exception is a failure, unless <see cref="IsAnswer"/> says otherwise.</summary>
    /// <returns>What became of it; inputs with an outcome not seen before are kept and changed further.</returns>
    internal abstract ulong Feed(byte[] input, int count);

    /// <summary>True for the exception by which this parser says that its input is wrong.</summary>
    internal virtual bool IsAnswer(Exception error) => false;

    /// <summary>Looks at the state that the inputs have left; throws <see cref="FuzzException"/>.</summary>
    internal virtual void Check()
    {
    }

    /// <summary>Joins parts of an outcome (FNV-1a).</summary>
    protected static ulong Mix(ulong hash, ulong part) => (hash ^ part) * 1099511628211UL;
}

/// <summary>A check on the state of a target failed.</summary>
internal sealed class FuzzException(string message) : Exception(message);
