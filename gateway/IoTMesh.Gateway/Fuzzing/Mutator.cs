using System.Buffers.Binary;

namespace IoTMesh.Gateway.Fuzzing;

/// <summary>Damages valid inputs as bad radios and attackers do; the same seed, the same inputs.</summary>
internal sealed class Mutator(Random random, List<byte[]> corpus, int bytesMax, bool isText)
{
    private static readonly byte[] _edges = [0, 1, 2, 0x7F, 0x80, 0xFE, 0xFF];
    private static readonly uint[] _wideEdges = [0, 1, 0xFF, 0x100, 0x7FFF, 0x8000, 0xFFFE, 0xFFFF, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF];
    private static readonly byte[][] _tokens =
    [
        .. new[]
        {
            "0", "-1", "1e999", "-0.0", "99999999999999999999", "4294967296", "0.0000001", "null", "true", "\"\"", "[]", "{}", "[", "]", "{", "}",
            "\"", ",", ":", "=", "#", "\n", "\r\n", "\t", " ", "\\u0000", "\\ud800", "\\", "\0", "é", "\uFEFF", "[[[[[[[[[[[[[[[[", "NaN", "0x10",
        }.Select(System.Text.Encoding.UTF8.GetBytes),
        [0xC0, 0x80], [0xFF, 0xFE], [0xED, 0xA0, 0x80],
    ];

    private readonly byte[] _buffer = new byte[bytesMax];
    private int _count;

    /// <summary>The input made last, from index 0.</summary>
    internal byte[] Buffer => _buffer;

    /// <summary>Makes the next input; its length.</summary>
    internal int Next()
    {
        Load(corpus[random.Next(corpus.Count)]);
        for (int changes = 1 + random.Next(random.Next(4) == 0 ? 8 : 3); changes > 0; changes--)
        {
            Change();
        }

        return _count;
    }

    private void Load(byte[] sample)
    {
        _count = Math.Min(sample.Length, bytesMax);
        sample.AsSpan(0, _count).CopyTo(_buffer);
    }

    private void Change()
    {
        if (_count == 0)
        {
            Insert(0, [(byte)random.Next(256)]);
            return;
        }

        int at = random.Next(_count);
        switch (random.Next(isText ? 14 : 11))
        {
            case 0:
                _buffer[at] ^= (byte)(1 << random.Next(8));
                break;
            case 1:
                _buffer[at] = (byte)random.Next(256);
                break;
            case 2:
                _buffer[at] = _edges[random.Next(_edges.Length)];
                break;
            case 3:
                PutEdge(at);
                break;
            case 4:
                _count = at;
                break;
            case 5:
                byte[] tail = new byte[random.Next(1, random.Next(8) == 0 ? bytesMax : 40)];
                random.NextBytes(tail);
                Insert(_count, tail);
                break;
            case 6:
                Remove(at, random.Next(1, Math.Min(_count - at, 40) + 1));
                break;
            case 7:
                Repeat(at);
                break;
            case 8:
                Splice(at);
                break;
            case 9:
                LieAboutLength(at);
                break;
            case 10:
                // Two bytes change places: fields out of order.
                int other = random.Next(_count);
                (_buffer[at], _buffer[other]) = (_buffer[other], _buffer[at]);
                break;
            default:
                ChangeText(at);
                break;
        }
    }

    private void PutEdge(int at)
    {
        uint value = _wideEdges[random.Next(_wideEdges.Length)] + (uint)random.Next(2);
        bool isBig = random.Next(2) == 0;
        if (_count - at >= 4 && random.Next(2) == 0)
        {
            BinaryPrimitives.WriteUInt32LittleEndian(_buffer.AsSpan(at), isBig ? BinaryPrimitives.ReverseEndianness(value) : value);
        }
        else if (_count - at >= 2)
        {
            BinaryPrimitives.WriteUInt16LittleEndian(
                _buffer.AsSpan(at), isBig ? BinaryPrimitives.ReverseEndianness((ushort)value) : (ushort)value);
        }
    }

    private void Insert(int at, ReadOnlySpan<byte> bytes)
    {
        int length = Math.Min(bytes.Length, bytesMax - _count);
        _buffer.AsSpan(at, _count - at).CopyTo(_buffer.AsSpan(at + length));
        bytes[..length].CopyTo(_buffer.AsSpan(at));
        _count += length;
    }

    private void Remove(int at, int length)
    {
        _buffer.AsSpan(at + length, _count - at - length).CopyTo(_buffer.AsSpan(at));
        _count -= length;
    }

    private void Repeat(int at)
    {
        byte[] section = _buffer.AsSpan(at, random.Next(1, Math.Min(_count - at, 60) + 1)).ToArray();
        for (int times = random.Next(8) == 0 ? 40 : random.Next(1, 4); times > 0; times--)
        {
            Insert(at, section);
        }
    }

    // The beginning of this one, the end of another.
    private void Splice(int at)
    {
        byte[] other = corpus[random.Next(corpus.Count)];
        if (other.Length > 0)
        {
            _count = at;
            int from = random.Next(other.Length);
            Insert(at, other.AsSpan(from, random.Next(1, other.Length - from + 1)));
        }
    }

    // A byte that counts what follows it is most often one that what follows is long enough for.
    private void LieAboutLength(int at)
    {
        for (int i = 0; i < _count; i++)
        {
            int place = (at + i) % _count;
            int rest = _count - place - 1;
            if (_buffer[place] > 0 && _buffer[place] <= rest)
            {
                int[] lies = [_buffer[place] - 1, _buffer[place] + 1, rest, rest + 1, 0, 0xFF];
                _buffer[place] = (byte)lies[random.Next(lies.Length)];
                return;
            }
        }
    }

    private void ChangeText(int at)
    {
        byte[] token = _tokens[random.Next(_tokens.Length)];
        if (random.Next(2) == 0)
        {
            // In place of the number or word that stands there.
            int end = at;
            while (end < _count && (char.IsAsciiLetterOrDigit((char)_buffer[end]) || _buffer[end] is (byte)'.' or (byte)'-'))
            {
                end++;
            }

            Remove(at, end - at);
        }

        Insert(Math.Min(at, _count), token);
    }
}
