namespace IoTMesh.Core;

/// <summary>HKDF-SHA256 (RFC 5869) with a label for each use, so that no key serves two. protocol.md 8.1. Allocates; not for the data path.</summary>
public static class KeySchedule
{
    public const int KeyLength = 16;
    public const string LabelHop = "iotmesh hop";
    public const string LabelGroup = "iotmesh group";
    public const string LabelUp = "iotmesh up";
    public const string LabelDown = "iotmesh down";
    public const string LabelNetwork = "iotmesh network";
    public const string LabelDevice = "iotmesh device";
    public const string LabelPair = "iotmesh pair";
    public const string LabelHint = "iotmesh hint";
    public const string LabelJoin = "iotmesh join";
    public const string LabelSession = "iotmesh session";
    private const int HashLength = 32;

    /// <summary>The 16-byte key of that label and number under a secret.</summary>
    public static byte[] Derive(ICrypto crypto, byte[] secret, string label, int number)
    {
        byte[] info = MakeInfo(label, number);
        byte[] okm = Hkdf(crypto, new byte[HashLength], secret, info, KeyLength);
        return okm;
    }

    /// <summary>HKDF-SHA256 for up to 32 bytes of output.</summary>
    public static byte[] Hkdf(ICrypto crypto, byte[] salt, byte[] secret, byte[] info, int length)
    {
        byte[] prk = new byte[HashLength];
        crypto.HmacSha256(salt, secret, secret.Length, prk);
        byte[] input = new byte[info.Length + 1];
        System.Array.Copy(info, 0, input, 0, info.Length);
        input[info.Length] = 1;
        byte[] block = new byte[HashLength];
        crypto.HmacSha256(prk, input, input.Length, block);
        byte[] okm = new byte[length];
        System.Array.Copy(block, 0, okm, 0, length);
        return okm;
    }

    /// <summary>Label in ASCII, a zero, and the number as 4 bytes.</summary>
    internal static byte[] MakeInfo(string label, int number)
    {
        byte[] info = new byte[label.Length + 5];
        for (int i = 0; i < label.Length; i++)
        {
            info[i] = (byte)label[i];
        }

        Bytes.PutU32(info, label.Length + 1, (uint)number);
        return info;
    }
}
