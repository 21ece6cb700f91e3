using System.Buffers.Binary;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace IoTMesh.Core.Tests.Vectors;

/// <summary>
/// A second implementation of the wire format, written from docs/protocol.md on the platform's own cryptography; it uses nothing of the core.
/// </summary>
internal sealed class ReferenceCodec
{
    private readonly byte[] _secret;
    private readonly byte _epoch;
    private readonly byte[] _networkKey;
    private readonly byte[] _hopKey;
    private readonly byte _hint;

    internal ReferenceCodec(byte[] secret, byte epoch)
    {
        _secret = secret;
        _epoch = epoch;
        _networkKey = Derive(secret, "iotmesh network", epoch);
        _hopKey = Derive(_networkKey, "iotmesh hop", epoch);
        _hint = (byte)(Derive(secret, "iotmesh hint", 0)[0] & 7);
    }

    /// <summary>protocol.md 8.1; pairwise keys are named "pair LOW HIGH", device keys "up N" and "down N".</summary>
    internal byte[] Key(string name)
    {
        string[] words = name.Split(' ');
        return words[0] switch
        {
            "network" => _networkKey,
            "hop" => _hopKey,
            "group" => Derive(_networkKey, "iotmesh group", _epoch),
            "device" => Derive(_secret, "iotmesh device", Number(words[1])),
            "up" or "down" => Derive(Derive(_secret, "iotmesh device", Number(words[1])), "iotmesh " + words[0], 0),
            "hint" => [_hint],
            "pair" => PairKey((int)Number(words[1]), (int)Number(words[2])),
            _ => throw new ArgumentException(name),
        };
    }

    private static byte[] Derive(byte[] secret, string label, uint number)
    {
        byte[] info = [.. Encoding.ASCII.GetBytes(label), 0, .. U32(number)];
        return HKDF.DeriveKey(HashAlgorithmName.SHA256, secret, 16, new byte[32], info);
    }

    /// <summary>protocol.md 8.3.</summary>
    private byte[] PairKey(int a, int b)
    {
        UInt128 modulus = (UInt128.One << 61) - 1;
        byte[] values = new byte[24];
        for (int k = 0; k < 3; k++)
        {
            UInt128 value = 0;
            UInt128 powerA = 1;
            for (int i = 0; i < 32; i++)
            {
                UInt128 powerB = 1;
                for (int j = 0; j < 32; j++)
                {
                    uint index = (uint)(Math.Min(i, j) | (Math.Max(i, j) << 8) | (k << 16));
                    byte[] info = [.. "iotmesh pair"u8, 0, .. U32(index)];
                    byte[] mac = HMACSHA256.HashData(_secret, info);
                    UInt128 coefficient = (BinaryPrimitives.ReadUInt64LittleEndian(mac) & (ulong)modulus) % modulus;
                    value = (value + (coefficient * powerA % modulus * powerB)) % modulus;
                    powerB = powerB * (uint)b % modulus;
                }

                powerA = powerA * (uint)a % modulus;
            }

            BinaryPrimitives.WriteUInt64LittleEndian(values.AsSpan(k * 8), (ulong)value);
        }

        return Derive(values, "iotmesh pair", (uint)(Math.Min(a, b) | (Math.Max(a, b) << 16)));
    }

    /// <summary>RFC 4493, from AES blocks alone.</summary>
    internal static byte[] Cmac(byte[] key, byte[] data)
    {
        using Aes aes = Aes.Create();
        aes.Key = key;
        byte[] subkey = Double(aes.EncryptEcb(new byte[16], PaddingMode.None));
        int blocks = Math.Max(1, (data.Length + 15) / 16);
        byte[] padded = new byte[blocks * 16];
        data.CopyTo(padded, 0);
        if (data.Length != padded.Length)
        {
            padded[data.Length] = 0x80;
            subkey = Double(subkey);
        }

        for (int i = 0; i < 16; i++)
        {
            padded[padded.Length - 16 + i] ^= subkey[i];
        }

        return aes.EncryptCbc(padded, new byte[16], PaddingMode.None)[^16..];
    }

    private static byte[] Double(byte[] block)
    {
        UInt128 value = BinaryPrimitives.ReadUInt128BigEndian(block);
        UInt128 doubled = (value << 1) ^ (value >> 127 != 0 ? 0x87u : 0u);
        byte[] result = new byte[16];
        BinaryPrimitives.WriteUInt128BigEndian(result, doubled);
        return result;
    }

    /// <summary>protocol.md 8.4.</summary>
    internal static byte[] Nonce(VectorSection m)
    {
        return
        [
            (byte)m.Number("kind"), .. U16(m.Number("origin")), .. U16(m.Number("destination")), .. U32(m.Number("counter")),
            .. U16(m.Number("receiver-boot")), .. U16(m.Number("origin-boot")),
        ];
    }

    internal byte[] Seal(VectorSection m)
    {
        byte[] plain = m.Hex("plain");
        byte[] text = new byte[plain.Length];
        byte[] tag = new byte[8];
        using var ccm = new AesCcm(Key(m["key"]));
        ccm.Encrypt(Nonce(m), plain, text, tag);
        return [.. text, .. tag];
    }

    /// <summary>protocol.md 4.1.</summary>
    internal byte[] Message(VectorSection m, uint linkSource, bool withLength)
    {
        bool wide = m.Number("wide") != 0;
        bool origin = m.Number("origin") != linkSource;
        bool destination = m.Number("destination") != 0xFFFE;
        bool via = m.Number("via") != 0;
        int control = ((int)m.Number("kind") << 5) | (wide ? 16 : 0) | (origin ? 8 : 0) | (destination ? 4 : 0) | (via ? 2 : 0);
        control |= withLength ? 1 : 0;
        byte[] body = Seal(m);
        List<byte> bytes = [(byte)control, (byte)m.Number("hop-limit")];
        bytes.AddRange(origin ? U16(m.Number("origin")) : []);
        bytes.AddRange(destination ? U16(m.Number("destination")) : []);
        bytes.AddRange(via ? U16(m.Number("via")) : []);
        bytes.AddRange(wide ? [.. U32(m.Number("counter")), .. U16(m.Number("origin-boot"))] : U16(m.Number("counter")));
        bytes.AddRange(withLength ? [(byte)body.Length] : []);
        bytes.AddRange(body);
        return [.. bytes];
    }

    /// <summary>protocol.md 3.1; the body is everything between header and tag.</summary>
    internal byte[] Frame(VectorSection f, Func<string, VectorSection> messages)
    {
        string[] types = ["data", "beacon", "ack", "probe", "probe-reply", "request", "flood", "ack-mail", "poll", "busy"];
        int type = Array.IndexOf(types, f.Kind);
        if (type is 2 or 7 or 9)
        {
            return Ack(f, type);
        }

        uint counter = f.Number("counter");
        int flags = (f.Has("extension") ? 4 : 0) | (f.Has("ack") ? 2 : 0) | (f.Has("ack-twice") ? 1 : 0);
        List<byte> frame = [(byte)(0x40 | (type << 2) | LowBits(f, type)), (byte)((_hint << 5) | (_epoch << 3) | flags)];
        frame.AddRange(U16(f.Number("source")));
        frame.AddRange(U16(f.Number("destination")));
        frame.AddRange(type == 0 ? U16(counter) : U32(counter));
        frame.AddRange(f.Has("extension") ? f.Hex("extension") : []);
        if (f.Has("ack"))
        {
            uint[] ack = Numbers(f["ack"]);
            frame.AddRange([.. U16(ack[0]), (byte)ack[1]]);
        }

        frame.AddRange(Body(f, type, messages));
        return Sign([.. frame], counter);
    }

    // protocol.md 3.1: the class of a data frame; whether a flood asks for acks.
    private static int LowBits(VectorSection f, int type) => type == 0 ? (int)f.Number("class") : type == 6 && f.Has("wanted") ? 1 : 0;

    internal byte[] Sign(byte[] frame, uint counter)
    {
        return [.. frame, .. Cmac(_hopKey, [.. U16(counter >> 16), .. frame]).AsSpan(0, 4)];
    }

    // protocol.md 3.3, 5.9
    private byte[] Ack(VectorSection f, int type)
    {
        uint counter = f.Number("counter");
        byte bitmap = f.Has("bitmap") ? (byte)f.Number("bitmap") : (byte)0;
        byte domain = (byte)(type == 9 ? 0xA9 : type == 7 ? 0xA7 : 0xA5);
        byte[] input = [domain, .. U16(f.Number("source")), .. U16(f.Number("destination")), .. U32(counter), bitmap];
        byte[] head = [(byte)(0x40 | (type << 2) | _epoch), (byte)counter];
        byte[] shown = f.Has("bitmap") ? [.. head, bitmap] : head;
        return [.. shown, .. Cmac(_hopKey, input).AsSpan(0, 4)];
    }

    private byte[] Body(VectorSection f, int type, Func<string, VectorSection> messages)
    {
        List<byte> body = [];
        switch (type)
        {
            case 0:
                body.Add((byte)f.Number("cost"));
                body.AddRange(f.Number("class") == 1 ? [(byte)f.Number("age")] : []);
                string[] names = f.All("message");
                for (int i = 0; i < names.Length; i++)
                {
                    body.AddRange(Message(messages(names[i]), f.Number("source"), i < names.Length - 1));
                }

                break;
            case 1:
                body.AddRange([.. U16(f.Number("boot")), .. U16(f.Number("version")), (byte)f.Number("since")]);
                body.Add((byte)((f.Number("part") << 4) | f.Number("parts")));
                body.AddRange([.. U16(f.Number("seqno")), (byte)f.Number("flags"), (byte)f.Number("number")]);
                body.AddRange(f.Has("time") ? TimeField(f["time"]) : []);
                foreach (string route in f.All("route"))
                {
                    uint[] entry = Numbers(route);
                    body.AddRange([.. U16(entry[0]), .. U16(entry[1]), .. U16(entry[2] | (entry[3] << 15))]);
                }

                break;
            case 3:
                body.AddRange(U16(f.Number("boot")));
                body.AddRange(f.Has("flags") ? [(byte)f.Number("flags")] : []);
                break;
            case 4:
                body.AddRange([.. U32(f.Number("challenge")), .. U16(f.Number("boot"))]);
                break;
            case 5:
                foreach (string row in f.All("row"))
                {
                    uint[] entry = Numbers(row);
                    body.AddRange([.. U16(entry[0]), .. U16(entry[1]), (byte)entry[2]]);
                }

                break;
            case 8:
                body.AddRange([.. U16(f.Number("boot")), .. U16(f.Number("seqno")), .. U16(f.Number("interval")), .. U16(f.Number("next"))]);
                body.Add((byte)f.Number("polls"));
                break;
            default:
                uint[] wanted = f.Has("wanted") ? Numbers(f["wanted"]) : [];
                body.AddRange(f.Has("wanted") ? [(byte)wanted.Length, .. wanted.SelectMany(U16)] : []);
                body.AddRange(Message(messages(f["message"]), f.Number("source"), false));
                break;
        }

        return [.. body];
    }

    // UTC in ms, sixteenths, word, standard error, hops.
    private static byte[] TimeField(string text)
    {
        string[] words = text.Split(' ');
        ulong utc = (ulong.Parse(words[0], CultureInfo.InvariantCulture) * 16) + Number(words[1]);
        return [.. U32((uint)utc), .. U16((uint)(utc >> 32)), .. U16(Number(words[2])), .. U16(Number(words[3])), (byte)Number(words[4])];
    }

    private static uint Number(string text)
    {
        return uint.Parse(text, CultureInfo.InvariantCulture);
    }

    private static uint[] Numbers(string text)
    {
        return text.Split(' ').Select(Number).ToArray();
    }

    private static byte[] U16(uint value)
    {
        return [(byte)value, (byte)(value >> 8)];
    }

    private static byte[] U32(uint value)
    {
        return [(byte)value, (byte)(value >> 8), (byte)(value >> 16), (byte)(value >> 24)];
    }
}
