using System.Text;

namespace IoTMesh.Core;

/// <summary>
/// Integers of any width (16 bits: <see cref="Bytes"/>) and length-prefixed UTF-8 in a byte array. Callers have checked the length.
/// </summary>
internal static class TelemetryBytes
{
    /// <summary>Writes the low <paramref name="length"/> bytes of the value.</summary>
    internal static void PutInteger(byte[] buffer, int at, int length, long value)
    {
        for (int i = 0; i < length; i++)
        {
            buffer[at + i] = (byte)value;
            value >>= 8;
        }
    }

    /// <summary>Reads 1 to 8 bytes, sign-extended where asked.</summary>
    internal static long GetInteger(byte[] buffer, int at, int length, bool isSigned)
    {
        long value = 0;
        for (int i = length - 1; i >= 0; i--)
        {
            value = (value << 8) | buffer[at + i];
        }

        if (isSigned && length < 8)
        {
            int unused = 64 - (8 * length);
            value = (value << unused) >> unused;
        }

        return value;
    }

    /// <summary>True where the value fits in that many bytes.</summary>
    internal static bool Fits(long value, int length, bool isSigned)
    {
        if (length == 8)
        {
            return isSigned || value >= 0;
        }

        int bits = 8 * length;
        return isSigned ? value >= -(1L << (bits - 1)) && value < (1L << (bits - 1)) : value >= 0 && value < (1L << bits);
    }

    /// <summary>Bytes of the text in UTF-8; null counts as empty.</summary>
    internal static int Utf8Length(string text)
    {
        if (text == null)
        {
            return 0;
        }

        int length = 0;
        for (int i = 0; i < text.Length; i++)
        {
            char c = text[i];
            bool isPair = c >= 0xD800 && c <= 0xDBFF && i + 1 < text.Length && text[i + 1] >= 0xDC00 && text[i + 1] <= 0xDFFF;
            length += c < 0x80 ? 1 : c < 0x800 ? 2 : isPair ? 4 : 3;
            if (isPair)
            {
                i++;
            }
        }

        return length;
    }

    /// <summary>Writes a length byte and the text; the index after it, or -1 where it is too long or does not fit before the limit.</summary>
    internal static int PutText(byte[] buffer, int at, int limit, string text, int maxLength)
    {
        int length = Utf8Length(text);
        if (at < 0 || length > maxLength || at + 1 + length > limit)
        {
            return -1;
        }

        buffer[at] = (byte)length;
        if (length > 0)
        {
            Encoding.UTF8.GetBytes(text, 0, text.Length, buffer, at + 1);
        }

        return at + 1 + length;
    }

    /// <summary>
    /// Checks the length-prefixed text at that index; the index after it, or -1 where it is cut off, longer than allowed or not
    /// UTF-8 (the device's decoder must not see such bytes).
    /// </summary>
    internal static int CheckText(byte[] buffer, int at, int limit, int maxLength)
    {
        if (at < 0 || at >= limit)
        {
            return -1;
        }

        int length = buffer[at];
        int end = at + 1 + length;
        return length <= maxLength && end <= limit && IsUtf8(buffer, at + 1, length) ? end : -1;
    }

    /// <summary>The text that <see cref="CheckText"/> accepted. Allocates.</summary>
    internal static string GetText(byte[] buffer, int at)
    {
        return buffer[at] == 0 ? "" : Encoding.UTF8.GetString(buffer, at + 1, buffer[at]);
    }

    /// <summary>RFC 3629 section 4: no overlong forms, no surrogates, nothing above U+10FFFF; nor NUL, which ends a string on the device.</summary>
    internal static bool IsUtf8(byte[] buffer, int offset, int count)
    {
        int at = offset;
        int end = offset + count;
        while (at < end)
        {
            byte lead = buffer[at++];
            if (lead == 0)
            {
                return false;
            }

            if (lead < 0x80)
            {
                continue;
            }

            int more = lead >= 0xC2 && lead <= 0xDF ? 1 : (lead & 0xF0) == 0xE0 ? 2 : lead >= 0xF0 && lead <= 0xF4 ? 3 : 0;
            if (more == 0 || at + more > end || !IsSecondByte(lead, buffer[at]))
            {
                return false;
            }

            for (int i = 1; i < more; i++)
            {
                if ((buffer[at + i] & 0xC0) != 0x80)
                {
                    return false;
                }
            }

            at += more;
        }

        return true;
    }

    private static bool IsSecondByte(byte lead, byte second)
    {
        int least = lead == 0xE0 ? 0xA0 : lead == 0xF0 ? 0x90 : 0x80;
        int most = lead == 0xED ? 0x9F : lead == 0xF4 ? 0x8F : 0xBF;
        return second >= least && second <= most;
    }
}
