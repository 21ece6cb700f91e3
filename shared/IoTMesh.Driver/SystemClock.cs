using System;

namespace IoTMesh.Driver;

/// <summary>Milliseconds since the machine or board started.</summary>
public sealed class SystemClock : IClock
{
    public long NowMs => Environment.TickCount64;
}
