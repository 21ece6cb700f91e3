namespace IoTMesh.Core;

/// <summary>Keys derived from a site's secret; used by provisioning and by gateways. Allocates.</summary>
public static class SiteKeys
{
    /// <summary>The 16-byte network key of an epoch (HKDF-SHA256, RFC 5869).</summary>
    public static byte[] CreateNetworkKey(ICrypto crypto, byte[] siteSecret, uint epoch)
    {
        return KeySchedule.Derive(crypto, siteSecret, KeySchedule.LabelNetwork, (int)epoch);
    }

    /// <summary>The site's number on air: no secret, the same in all epochs.</summary>
    public static ushort CreateNetworkId(ICrypto crypto, byte[] siteSecret)
    {
        return Bytes.GetU16(KeySchedule.Derive(crypto, siteSecret, KeySchedule.LabelHint, 0), 0);
    }

    /// <summary>The 16-byte key of the device with that address, where the site derives device keys.</summary>
    public static byte[] CreateDeviceKey(ICrypto crypto, byte[] siteSecret, ushort address)
    {
        return KeySchedule.Derive(crypto, siteSecret, KeySchedule.LabelDevice, address);
    }
}
