namespace IoTMesh.Node;

/// <summary>Hexadecimal text of settings files.</summary>
public static class Hex
{
    private const string Digits = "0123456789abcdef";

    public static string Write(byte[] bytes)
    {
        char[] text = new char[bytes.Length * 2];
        for (int i = 0; i < bytes.Length; i++)
        {
            text[2 * i] = Digits[bytes[i] >> 4];
            text[(2 * i) + 1] = Digits[bytes[i] & 15];
        }

        return new string(text);
    }

    /// <summary>16 digits, the most significant first.</summary>
    public static string Write(ulong value)
    {
        char[] text = new char[16];
        for (int i = 15; i >= 0; i--)
        {
            text[i] = Digits[(int)(value & 15)];
            value >>= 4;
        }

        return new string(text);
    }

    /// <summary>The bytes, or null where the text is not that many bytes in hexadecimal.</summary>
    public static byte[] Read(string text, int length)
    {
        if (text.Length != 2 * length)
        {
            return null;
        }

        char[] digits = text.ToCharArray();
        byte[] bytes = new byte[length];
        for (int i = 0; i < length; i++)
        {
            int high = ValueOf(digits[2 * i]);
            int low = ValueOf(digits[(2 * i) + 1]);
            if (high < 0 || low < 0)
            {
                return null;
            }

            bytes[i] = (byte)((high << 4) | low);
        }

        return bytes;
    }

    private static int ValueOf(char digit)
    {
        return digit >= '0' && digit <= '9' ? digit - '0'
            : digit >= 'a' && digit <= 'f' ? digit - 'a' + 10
            : digit >= 'A' && digit <= 'F' ? digit - 'A' + 10
            : -1;
    }
}
