namespace IoTMesh.Core;

/// <summary>Keys derived from a site's secret; used by provisioning and by gateways. Allocates.</summary>
public static class SiteKeys
{
    /// <summary>The 16-byte network key of an epoch (HKDF-SHA256, RFC 5869).</summary>
    public static byte[] CreateNetworkKey(ICrypto crypto, byte[] siteSecret, byte epoch)
    {
        return KeySchedule.Derive(crypto, siteSecret, KeySchedule.LabelNetwork, epoch);
    }

    /// <summary>The 16-byte key of the device with that address, where the site derives device keys.</summary>
    public static byte[] CreateDeviceKey(ICrypto crypto, byte[] siteSecret, ushort address)
    {
        return KeySchedule.Derive(crypto, siteSecret, KeySchedule.LabelDevice, address);
    }
}
