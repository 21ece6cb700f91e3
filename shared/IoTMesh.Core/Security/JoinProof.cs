namespace IoTMesh.Core;

/// <summary>
/// What proves to a device and to a gateway that the other has the device's key. Made for one exchange, as it allocates. protocol.md 8.7.
/// </summary>
public sealed class JoinProof
{
    private const int LongestInput = JoinFormat.ProveLength + (2 * JoinFormat.NonceLength);
    private readonly ICrypto _crypto;
    private readonly byte[] _deviceKey;
    private readonly Cmac _cmac;
    private readonly byte[] _input = new byte[LongestInput];

    /// <param name="deviceKey">16 bytes.</param>
    public JoinProof(ICrypto crypto, byte[] deviceKey)
    {
        _crypto = crypto;
        _deviceKey = deviceKey;
        _cmac = new Cmac(crypto.CreateAes(KeySchedule.Derive(crypto, deviceKey, KeySchedule.LabelJoin, 0)), LongestInput);
    }

    /// <summary>Writes the tag behind <c>message[0..count)</c>; it covers the device's nonce as well, where that is given.</summary>
    public void Sign(byte[] message, int count, byte[] nonce)
    {
        Compute(message, 0, count, nonce);
        System.Array.Copy(_cmac.Mac, 0, message, count, JoinFormat.TagLength);
    }

    /// <summary>True where the tag behind <c>message[offset..offset+count)</c> is right; in constant time.</summary>
    public bool Check(byte[] message, int offset, int count, byte[] nonce)
    {
        Compute(message, offset, count, nonce);
        int difference = 0;
        for (int i = 0; i < JoinFormat.TagLength; i++)
        {
            difference |= message[offset + count + i] ^ _cmac.Mac[i];
        }

        return difference == 0;
    }

    /// <summary>Fills the 8 bytes of a nonce that nobody without the key can foretell; a number must not be used twice.</summary>
    public void MakeNonce(ushort boot, uint number, byte[] nonce)
    {
        // No message has type 0, so this is never the tag of one.
        _input[0] = 0;
        Bytes.PutU16(_input, 1, boot);
        Bytes.PutU32(_input, 3, number);
        _cmac.Compute(_input, 0, 7);
        System.Array.Copy(_cmac.Mac, 0, nonce, 0, JoinFormat.NonceLength);
    }

    /// <summary>Seals or opens the network key of an Admit message, <c>message[offset..)</c>. False where the tag is wrong.</summary>
    /// <param name="seal">True: the plain key stands in the message and is sealed in place.</param>
    public bool CryptAdmit(byte[] message, int offset, byte[] nonce, byte[] gatewayNonce, bool seal)
    {
        byte[] secret = new byte[KeySchedule.KeyLength + (2 * JoinFormat.NonceLength)];
        System.Array.Copy(_deviceKey, 0, secret, 0, KeySchedule.KeyLength);
        System.Array.Copy(nonce, 0, secret, KeySchedule.KeyLength, JoinFormat.NonceLength);
        System.Array.Copy(gatewayNonce, 0, secret, KeySchedule.KeyLength + JoinFormat.NonceLength, JoinFormat.NonceLength);

        // With the epoch in it no two keys are ever sealed by one session key.
        int epoch = (int)Bytes.GetU32(message, offset + JoinFormat.AdmitOffsetEpoch);
        IBlockCipher cipher = _crypto.CreateAes(KeySchedule.Derive(_crypto, secret, KeySchedule.LabelSession, epoch));
        Ccm ccm = new Ccm(KeySchedule.KeyLength);
        byte[] ccmNonce = new byte[Ccm.NonceLength];
        System.Array.Copy(message, offset, ccmNonce, 0, JoinFormat.AdmitOffsetKey);
        int at = offset + JoinFormat.AdmitOffsetKey;
        if (!seal)
        {
            return ccm.Open(cipher, ccmNonce, null, 0, message, at, KeySchedule.KeyLength);
        }

        ccm.Seal(cipher, ccmNonce, null, 0, message, at, KeySchedule.KeyLength);
        return true;
    }

    private void Compute(byte[] message, int offset, int count, byte[] nonce)
    {
        System.Array.Copy(message, offset, _input, 0, count);
        if (nonce != null)
        {
            System.Array.Copy(nonce, 0, _input, count, JoinFormat.NonceLength);
            count += JoinFormat.NonceLength;
        }

        _cmac.Compute(_input, 0, count);
    }
}
