namespace IoTMesh.Driver.Tests;

public sealed class FileStorageTests : IDisposable
{
    private const byte Record = 1;
    private readonly string _folder = Directory.CreateTempSubdirectory("iotmesh-storage-").FullName;

    private string FileA => Path.Combine(_folder, "mesh1a.bin");

    private string FileB => Path.Combine(_folder, "mesh1b.bin");

    public void Dispose()
    {
        Directory.Delete(_folder, true);
    }

    [Fact]
    public void Nothing_stored_is_null()
    {
        var storage = new FileStorage(Path.Combine(_folder, "new"));
        Assert.Null(storage.Load(Record));
        Assert.False(storage.IsDamaged);
    }

    [Fact]
    public void Last_record_is_read_after_many()
    {
        for (int i = 0; i < 9; i++)
        {
            // A new object each time, as after a restart.
            Assert.True(new FileStorage(_folder).Store(Record, Content(i), 20));
            Assert.Equal(Content(i), new FileStorage(_folder).Load(Record));
        }

        Assert.Null(new FileStorage(_folder).Load(2));
    }

    [Fact]
    public void Only_the_count_given_is_stored()
    {
        var storage = new FileStorage(_folder);
        Assert.True(storage.Store(Record, [1, 2, 3, 4], 2));
        Assert.Equal([1, 2], storage.Load(Record));
        Assert.True(storage.Store(Record, [1, 2, 3, 4], 0));
        Assert.Equal([], storage.Load(Record));
    }

    /// <summary>A power cut while the record is written leaves any part of the new file.</summary>
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(5)]
    public void Torn_write_at_every_point_leaves_the_old_record_or_the_new_one(int before)
    {
        var storage = new FileStorage(_folder);
        for (int i = 0; i < before; i++)
        {
            storage.Store(Record, Content(i), 20);
        }

        byte[]? oldA = ReadOrNull(FileA);
        byte[]? oldB = ReadOrNull(FileB);
        storage.Store(Record, Content(before), 20);
        bool isInA = oldA is null || !oldA.AsSpan().SequenceEqual(File.ReadAllBytes(FileA));
        string path = isInA ? FileA : FileB;
        byte[] whole = File.ReadAllBytes(path);
        for (int length = 0; length < whole.Length; length++)
        {
            File.WriteAllBytes(path, whole[..length]);
            CheckOldAndGoOn(before - 1, path, whole);
        }

        // Blocks of flash arrive in any order: what is not written yet reads as 0x00 or 0xFF.
        for (int at = 0; at < whole.Length; at++)
        {
            foreach (byte value in (byte[])[0x00, 0xFF, (byte)(whole[at] ^ 1), (byte)(whole[at] ^ 0x80)])
            {
                if (value != whole[at])
                {
                    byte[] damaged = [.. whole];
                    damaged[at] = value;
                    File.WriteAllBytes(path, damaged);
                    CheckOldAndGoOn(before - 1, path, whole);
                }
            }
        }

        File.WriteAllBytes(path, whole);
        Assert.Equal(Content(before), new FileStorage(_folder).Load(Record));
    }

    [Fact]
    public void A_log_grows_survives_restarts_and_begins_anew()
    {
        Assert.Null(new FileStorage(_folder).LoadLog(8));
        Assert.True(new FileStorage(_folder).Append(8, true, [1, 2, 9], 2));
        Assert.True(new FileStorage(_folder).Append(8, false, [3], 1));
        Assert.Equal([1, 2, 3], new FileStorage(_folder).LoadLog(8));
        Assert.True(new FileStorage(_folder).Append(8, true, [4], 1));
        Assert.Equal([4], new FileStorage(_folder).LoadLog(8));
        Assert.Null(new FileStorage(_folder).LoadLog(9));
        Assert.False(new FileStorage(_folder).Append(200, true, [4], 1));
        var missing = new FileStorage(Path.Combine(_folder, "mesh8.log", "no-folder"));
        Assert.False(missing.Append(8, true, [1], 1));
        Assert.Contains("mesh8.log", missing.LastError);
    }

    [Fact]
    public void Torn_first_write_counts_as_nothing_stored()
    {
        new FileStorage(_folder).Store(Record, Content(0), 20);
        byte[] whole = File.ReadAllBytes(FileA);
        File.WriteAllBytes(FileA, whole[..^1]);
        var storage = new FileStorage(_folder);
        Assert.Null(storage.Load(Record));
        Assert.False(storage.IsDamaged);
        Assert.True(storage.Store(Record, Content(1), 20));
        Assert.Equal(Content(1), new FileStorage(_folder).Load(Record));
    }

    [Fact]
    public void Two_damaged_files_are_reported_and_not_taken_for_a_new_device()
    {
        var storage = new FileStorage(_folder);
        storage.Store(Record, Content(0), 20);
        storage.Store(Record, Content(1), 20);
        File.WriteAllBytes(FileA, [1, 2, 3]);
        File.WriteAllBytes(FileB, []);
        storage = new FileStorage(_folder);
        Assert.Null(storage.Load(Record));
        Assert.True(storage.IsDamaged);
    }

    [Fact]
    public void Record_of_another_number_is_not_accepted()
    {
        new FileStorage(_folder).Store(Record, Content(0), 20);
        File.Copy(FileA, Path.Combine(_folder, "mesh2a.bin"));
        Assert.Null(new FileStorage(_folder).Load(2));
    }

    [Fact]
    public void Failed_store_says_so_keeps_the_old_record_and_tries_again()
    {
        var storage = new FileStorage(_folder);
        storage.Store(Record, Content(0), 20);
        Directory.CreateDirectory(FileB);
        Assert.False(storage.Store(Record, Content(1), 20));
        Assert.Contains(FileB, storage.LastError, StringComparison.Ordinal);
        Assert.Equal(Content(0), new FileStorage(_folder).Load(Record));
        Directory.Delete(FileB);
        Assert.True(storage.Store(Record, Content(2), 20));
        Assert.Equal(Content(2), new FileStorage(_folder).Load(Record));
    }

    [Fact]
    public void Crc_is_that_of_ieee_802_3()
    {
        new FileStorage(_folder).Store(Record, Content(0), 20);
        byte[] file = File.ReadAllBytes(FileA);
        uint crc = 0xFFFFFFFF;
        foreach (byte value in file[..^4])
        {
            crc ^= value;
            for (int bit = 0; bit < 8; bit++)
            {
                crc = (crc & 1) != 0 ? (crc >> 1) ^ 0xEDB88320 : crc >> 1;
            }
        }

        Assert.Equal(~crc, BitConverter.ToUInt32(file, file.Length - 4));
    }

    private void CheckOldAndGoOn(int old, string path, byte[] whole)
    {
        var storage = new FileStorage(_folder);
        byte[]? loaded = storage.Load(Record);
        Assert.Equal(Content(old), loaded);
        Assert.False(storage.IsDamaged);

        // The next Store must replace the torn file, not the one that is whole.
        Assert.True(storage.Store(Record, Content(99), 20));
        Assert.Equal(Content(99), new FileStorage(_folder).Load(Record));
        Assert.NotEqual(whole, File.ReadAllBytes(path));
        File.WriteAllBytes(path, whole);
    }

    private static byte[] Content(int number)
    {
        return [.. Enumerable.Range(0, 20).Select(i => (byte)((number * 31) + i))];
    }

    private static byte[]? ReadOrNull(string path)
    {
        return File.Exists(path) ? File.ReadAllBytes(path) : null;
    }
}
