using IoTMesh.Core;

namespace IoTMesh.Simulation;

/// <summary>A reading as the run saw it.</summary>
internal struct Reading
{
    internal int From;

    /// <summary>0 for any gateway.</summary>
    internal int To;
    internal long MadeUs;

    /// <summary>When the application had it; -1 before.</summary>
    internal long DeliveredUs;
    internal SendResult Taken;
    internal ushort PayloadBytes;

    /// <summary>Index of the broadcast's first row, whose rows stand for one receiver each; -1 for a message to one.</summary>
    internal int BroadcastIndex;

    /// <summary>The node whose application had it first, and in which of its lives.</summary>
    internal (int Node, int Incarnation) DeliveredAt;

    /// <summary>Links it crossed, once delivered; before, those to the server that is to pass it on.</summary>
    internal byte Hops;

    /// <summary>The forwarding class it was sent in.</summary>
    internal MeshClass Class;

    /// <summary>It goes to a server, which passes it on.</summary>
    internal bool IsViaServer;

    /// <summary>The server has sent it on.</summary>
    internal bool IsPassedOn;
}
