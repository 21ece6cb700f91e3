using IoTMesh.Driver;
using IoTMesh.Gateway.Settings;
using IoTMesh.Gateway.Site;

namespace IoTMesh.Gateway.Service;

/// <summary>What a gateway is made of; run and demo differ in these only.</summary>
public sealed record GatewayParts
{
    public required GatewaySettings Settings { get; init; }

    /// <summary>The site's secret, from which the network keys derive.</summary>
    public required byte[] SiteSecret { get; init; }

    /// <summary>Opens the devices' own secrets; null where their keys derive from the site's secret.</summary>
    public SecretBox? Box { get; init; }

    /// <summary>The gateway's share of the keys between two nodes; null where they derive from the site's secret.</summary>
    public byte[]? PairwiseShare { get; init; }

    /// <summary>SQLite file; created where it does not exist.</summary>
    public required string Database { get; init; }

    /// <summary>The gateway's radio. Closed with the gateway.</summary>
    public required ILink Link { get; init; }

    /// <summary>Keeps the mesh core's counters: the same at every start.</summary>
    public required IMeshStorage MeshStorage { get; init; }

    /// <summary>The site's data folder, for tokens and the keys of sessions; null keeps both in memory.</summary>
    public string? Folder { get; init; }

    public TimeProvider Time { get; init; } = TimeProvider.System;
}
