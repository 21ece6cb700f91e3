namespace IoTMesh.Driver.Tests.PowerCut;

/// <summary>Where the power goes.</summary>
public enum Cut
{
    /// <summary>Before the first byte of the write.</summary>
    Before,

    /// <summary>In the middle: half of what is new is there.</summary>
    Torn,

    /// <summary>After the last byte, before the node can know.</summary>
    After,
}

/// <summary>The power is gone: nothing of the node's memory is left.</summary>
internal sealed class PowerCutException : Exception
{
}

/// <summary>Says for each storage write of a life whether the power goes there.</summary>
internal sealed class CutPlan(Func<int, Cut?> at)
{
    internal int Writes { get; private set; }

    internal int Cuts { get; private set; }

    internal Cut? Next()
    {
        Writes++;
        Cut? cut = at(Writes);
        Cuts += cut is null ? 0 : 1;
        return cut;
    }
}

/// <summary>Real storage whose power goes where the plan says.</summary>
internal sealed class CutStorage(IMeshStorage inner, string? folder, CutPlan plan) : IMeshStorage
{
    public byte[] Load(byte record) => inner.Load(record);

    public byte[] LoadLog(byte log) => inner.LoadLog(log);

    public bool Store(byte record, byte[] buffer, int count) => Write(() => inner.Store(record, buffer, count), isAppend: false);

    public bool Append(byte log, bool begins, byte[] buffer, int count) => Write(() => inner.Append(log, begins, buffer, count), !begins);

    private bool Write(Func<bool> write, bool isAppend)
    {
        switch (plan.Next())
        {
            case null:
                return write();
            case Cut.Before:
                throw new PowerCutException();
            case Cut.Torn:
                Tear(write, isAppend);
                throw new PowerCutException();
            default:
                Assert.True(write());
                throw new PowerCutException();
        }
    }

    // What has no files replaces its records at once and cannot be torn: then the write did not happen.
    private void Tear(Func<bool> write, bool isAppend)
    {
        if (folder is null)
        {
            return;
        }

        Dictionary<string, byte[]> before = Directory.GetFiles(folder).ToDictionary(f => f, File.ReadAllBytes);
        Assert.True(write());
        foreach (string file in Directory.GetFiles(folder))
        {
            byte[] now = File.ReadAllBytes(file);
            byte[] old = before.GetValueOrDefault(file, []);
            if (!now.AsSpan().SequenceEqual(old))
            {
                int kept = isAppend ? old.Length + ((now.Length - old.Length) / 2) : now.Length / 2;
                File.WriteAllBytes(file, now[..kept]);
            }
        }
    }
}
