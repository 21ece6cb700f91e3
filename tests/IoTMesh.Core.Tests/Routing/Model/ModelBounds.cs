namespace IoTMesh.Core.Tests.Routing.Model;

/// <summary>How far the checker goes.</summary>
/// <param name="SeqNos">How often the destination raises its seqno.</param>
/// <param name="Reboots">Of all nodes together, the destination's among them.</param>
/// <param name="Losses">How often a node gives a neighbor up, together.</param>
/// <param name="Worsenings">How often a link becomes dearer, together.</param>
/// <param name="IsSettled">Begins where all nodes have found their routes; else where nobody has heard anything.</param>
/// <param name="LateReplies">Answers to challenges may come late too; else challenge and answer are one event.</param>
/// <param name="NewsUnderWay">Begins where the destination has raised its seqno besides, and nobody but its neighbors has heard of it.</param>
internal sealed record ModelBounds(
    int SeqNos, int Reboots, int Losses, int Worsenings, bool IsSettled, bool LateReplies = false, bool NewsUnderWay = false);

/// <summary>What an exploration found.</summary>
/// <param name="States">Different states reached.</param>
/// <param name="Loop">The events that lead to a cycle of next hops, or null.</param>
/// <param name="Routed">States in which every node has a next hop.</param>
internal sealed record ModelResult(long States, string? Loop, long Routed);
