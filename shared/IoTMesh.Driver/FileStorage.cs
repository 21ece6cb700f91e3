using System;
using System.IO;

namespace IoTMesh.Driver;

/// <summary>
/// Records in files. The device cannot replace a file atomically, so each record has two files, written in turn, each with a
/// sequence number and a CRC-32: whatever a power cut leaves of the one, the other is whole. Not thread-safe.
/// </summary>
public sealed class FileStorage : IMeshStorage
{
    // A file: mark u16, version u8, record u8, sequence u32, length u16, the record, CRC-32 of all before it. Little-endian.
    private const byte Mark0 = 0x49;
    private const byte Mark1 = 0x52;
    private const byte Version = 1;
    private const int VersionOffset = 2;
    private const int RecordOffset = 3;
    private const int SequenceOffset = 4;
    private const int LengthOffset = 8;
    private const int HeaderLength = 10;
    private const int CrcLength = 4;
    private const int MaxRecords = 16;
    private const int MaxRecordLength = 4096;

    private readonly string _folder;
    private readonly uint[] _sequences = new uint[MaxRecords];
    private readonly int[] _newestFiles = new int[MaxRecords];
    private readonly bool[] _isKnown = new bool[MaxRecords];

    /// <param name="folder">Created where it does not exist. On the device <c>I:\</c>.</param>
    public FileStorage(string folder)
    {
        _folder = folder;
        try
        {
            if (!Directory.Exists(folder))
            {
                Directory.CreateDirectory(folder);
            }
        }
        catch (Exception)
        {
            // The root of the device's drive cannot be created; a folder that is really missing shows at the first Store.
        }
    }

    /// <summary>True after a Load that found both files of a record unreadable. To go on as if nothing had been stored would reuse nonces.</summary>
    public bool IsDamaged { get; private set; }

    /// <summary>What the last failed Store or Load said, or null.</summary>
    public string LastError { get; private set; }

    public byte[] Load(byte record)
    {
        if (record >= MaxRecords)
        {
            return null;
        }

        byte[] first = ReadFile(record, 0);
        byte[] second = ReadFile(record, 1);
        bool isFirstValid = IsValid(first, record);
        bool isSecondValid = IsValid(second, record);
        _isKnown[record] = true;
        if (!isFirstValid && !isSecondValid)
        {
            // One file alone is a first write that a power cut ended: the Store did not return, so nothing depends on it.
            IsDamaged |= first != null && second != null;
            _newestFiles[record] = 1;
            _sequences[record] = 0;
            return null;
        }

        bool useSecond = !isFirstValid || (isSecondValid && (int)(SequenceOf(second) - SequenceOf(first)) > 0);
        byte[] newest = useSecond ? second : first;
        _newestFiles[record] = useSecond ? 1 : 0;
        _sequences[record] = SequenceOf(newest);
        byte[] content = new byte[newest.Length - HeaderLength - CrcLength];
        Array.Copy(newest, HeaderLength, content, 0, content.Length);
        return content;
    }

    public bool Store(byte record, byte[] buffer, int count)
    {
        if (record >= MaxRecords || count > MaxRecordLength)
        {
            return false;
        }

        if (!_isKnown[record])
        {
            Load(record);
        }

        int file = 1 - _newestFiles[record];
        uint sequence = _sequences[record] + 1;
        if (!WriteFile(record, file, Compose(record, sequence, buffer, count)))
        {
            // The newest file is untouched, and the next Store tries this one again.
            return false;
        }

        _newestFiles[record] = file;
        _sequences[record] = sequence;
        return true;
    }

    public byte[] LoadLog(byte log)
    {
        string path = LogPathOf(log);
        try
        {
            return log < MaxRecords && File.Exists(path) ? File.ReadAllBytes(path) : null;
        }
        catch (Exception error)
        {
            LastError = path + ": " + error.Message;
            return null;
        }
    }

    public bool Append(byte log, bool begins, byte[] buffer, int count)
    {
        string path = LogPathOf(log);
        try
        {
            if (log >= MaxRecords)
            {
                return false;
            }

            using (FileStream stream = new FileStream(path, begins ? FileMode.Create : FileMode.Append, FileAccess.Write))
            {
                stream.Write(buffer, 0, count);
                Platform.FlushToDisk(stream);
            }

            return true;
        }
        catch (Exception error)
        {
            LastError = path + ": " + error.Message;
            return false;
        }
    }

    private static byte[] Compose(byte record, uint sequence, byte[] buffer, int count)
    {
        byte[] bytes = new byte[HeaderLength + count + CrcLength];
        bytes[0] = Mark0;
        bytes[1] = Mark1;
        bytes[VersionOffset] = Version;
        bytes[RecordOffset] = record;
        PutU32(bytes, SequenceOffset, sequence);
        bytes[LengthOffset] = (byte)count;
        bytes[LengthOffset + 1] = (byte)(count >> 8);
        Array.Copy(buffer, 0, bytes, HeaderLength, count);
        PutU32(bytes, HeaderLength + count, Crc32.Compute(bytes, 0, HeaderLength + count));
        return bytes;
    }

    private static bool IsValid(byte[] bytes, byte record)
    {
        if (bytes == null || bytes.Length < HeaderLength + CrcLength || bytes[0] != Mark0 || bytes[1] != Mark1)
        {
            return false;
        }

        int length = bytes[LengthOffset] | (bytes[LengthOffset + 1] << 8);
        int crcOffset = HeaderLength + length;
        return bytes[VersionOffset] == Version
            && bytes[RecordOffset] == record
            && bytes.Length == crcOffset + CrcLength
            && GetU32(bytes, crcOffset) == Crc32.Compute(bytes, 0, crcOffset);
    }

    private static uint SequenceOf(byte[] bytes)
    {
        return GetU32(bytes, SequenceOffset);
    }

    private static void PutU32(byte[] bytes, int at, uint value)
    {
        bytes[at] = (byte)value;
        bytes[at + 1] = (byte)(value >> 8);
        bytes[at + 2] = (byte)(value >> 16);
        bytes[at + 3] = (byte)(value >> 24);
    }

    private static uint GetU32(byte[] bytes, int at)
    {
        return (uint)(bytes[at] | (bytes[at + 1] << 8) | (bytes[at + 2] << 16) | (bytes[at + 3] << 24));
    }

    private string PathOf(byte record, int file)
    {
        return Path.Combine(_folder, "mesh" + record.ToString() + (file == 0 ? "a" : "b") + ".bin");
    }

    private string LogPathOf(byte log)
    {
        return Path.Combine(_folder, "mesh" + log.ToString() + ".log");
    }

    private byte[] ReadFile(byte record, int file)
    {
        string path = PathOf(record, file);
        try
        {
            return File.Exists(path) ? File.ReadAllBytes(path) : null;
        }
        catch (Exception error)
        {
            // Present but unreadable is not the same as absent.
            LastError = path + ": " + error.Message;
            return new byte[0];
        }
    }

    private bool WriteFile(byte record, int file, byte[] bytes)
    {
        string path = PathOf(record, file);
        try
        {
            using (FileStream stream = new FileStream(path, FileMode.Create, FileAccess.Write))
            {
                stream.Write(bytes, 0, bytes.Length);
                Platform.FlushToDisk(stream);
            }

            return true;
        }
        catch (Exception error)
        {
            // Which exceptions a full or broken drive throws differs between the platforms; each means that nothing is durable.
            LastError = path + ": " + error.Message;
            return false;
        }
    }
}
