using System.Globalization;

namespace IoTMesh.Core.Tests.Telemetry;

public class ReadingTests
{
    public static TheoryData<string> Readings => TelemetryVectors.NamesOf("reading");

    public static TheoryData<string> BadReadings => TelemetryVectors.NamesOf("bad-reading");

    [Theory]
    [MemberData(nameof(Readings))]
    public void Reads_golden_reading(string name)
    {
        TelemetryVector vector = TelemetryVectors.Get("reading", name);
        byte[] padded = [0xAA, .. vector.Bytes, 0xAA];
        var reader = new ReadingReader();
        reader.Reset(padded, 1, vector.Bytes.Length);
        foreach (string expected in vector.All("object"))
        {
            Assert.True(reader.Next(), $"{expected}: {reader.Error}");
            Assert.Equal(expected, Describe(reader, padded));
        }

        Assert.False(reader.Next());
        Assert.Equal(ParseError.None, reader.Error);
    }

    [Theory]
    [MemberData(nameof(Readings))]
    public void Writes_golden_reading(string name)
    {
        TelemetryVector vector = TelemetryVectors.Get("reading", name);
        byte[] buffer = new byte[vector.Bytes.Length + 2];
        var writer = new ReadingWriter();
        writer.Reset(buffer, 1, vector.Bytes.Length);
        foreach (string line in vector.All("object"))
        {
            Assert.True(AddLine(writer, line), line);
        }

        Assert.Equal(vector.Bytes.Length, writer.Length);
        Assert.Equal(vector.Bytes, buffer[1..^1]);
        Assert.Equal(0, buffer[0]);
        Assert.Equal(0, buffer[^1]);
    }

    [Theory]
    [MemberData(nameof(Readings))]
    public void Refuses_an_object_that_does_not_fit_and_writes_nothing(string name)
    {
        TelemetryVector vector = TelemetryVectors.Get("reading", name);
        string last = vector.All("object").Last();
        for (int capacity = 0; capacity < vector.Bytes.Length; capacity++)
        {
            byte[] buffer = new byte[vector.Bytes.Length];
            var writer = new ReadingWriter();
            writer.Reset(buffer, 0, capacity);
            bool fitted = true;
            foreach (string line in vector.All("object"))
            {
                int before = writer.Length;
                fitted = AddLine(writer, line);
                Assert.True(fitted || writer.Length == before);
            }

            Assert.True(writer.Length <= capacity);
            Assert.True(!fitted || vector.All("object").Count() > 1, last);
            Assert.All(buffer[capacity..], value => Assert.Equal(0, value));
        }
    }

    [Theory]
    [MemberData(nameof(BadReadings))]
    public void Names_the_error_of_a_bad_reading(string name)
    {
        TelemetryVector vector = TelemetryVectors.Get("bad-reading", name);
        var reader = new ReadingReader();
        reader.Reset(vector.Bytes, 0, vector.Bytes.Length);
        while (reader.Next())
        {
        }

        Assert.Equal(vector["error"], reader.Error.ToString());
        Assert.False(reader.Next());
    }

    [Fact]
    public void Value_outside_the_range_of_its_id_is_refused()
    {
        var writer = new ReadingWriter();
        writer.Reset(new byte[64], 0, 64);
        Assert.True(writer.Add(BthomeTable.Temperature, short.MaxValue));
        Assert.False(writer.Add(BthomeTable.Temperature, short.MaxValue + 1));
        Assert.True(writer.Add(BthomeTable.Temperature, short.MinValue));
        Assert.False(writer.Add(BthomeTable.Temperature, short.MinValue - 1));
        Assert.False(writer.Add(BthomeTable.Battery, -1));
        Assert.False(writer.Add(BthomeTable.Battery, 256));
        Assert.False(writer.Add(0x31, 0));
        Assert.False(writer.Add(BthomeTable.Text, 0));
        Assert.False(writer.Add(BthomeTable.Generic, 0));
        Assert.Equal(6, writer.Length);
    }

    [Theory]
    [InlineData(0, 4)]
    [InlineData(255, 4)]
    [InlineData(256, 5)]
    [InlineData(65_535, 5)]
    [InlineData(65_536, 7)]
    [InlineData(uint.MaxValue, 7)]
    [InlineData(uint.MaxValue + 1L, 11)]
    [InlineData(long.MaxValue, 11)]
    [InlineData(-1, 4)]
    [InlineData(-129, 5)]
    [InlineData(long.MinValue, 11)]
    public void Generic_value_takes_as_few_bytes_as_it_needs(long value, int length)
    {
        byte[] buffer = new byte[16];
        var writer = new ReadingWriter();
        writer.Reset(buffer, 0, buffer.Length);
        Assert.True(writer.AddGeneric(200, 3, value));
        Assert.Equal(length, writer.Length);
        var reader = new ReadingReader();
        reader.Reset(buffer, 0, writer.Length);
        Assert.True(reader.Next());
        Assert.Equal(value, reader.RawValue);
        Assert.Equal(value / 1000.0, reader.Value);
    }

    [Fact]
    public void Every_known_id_has_one_name_and_round_trips_its_extremes()
    {
        byte[] buffer = new byte[16];
        var writer = new ReadingWriter();
        var reader = new ReadingReader();
        for (int id = 0; id < 256; id++)
        {
            int length = BthomeTable.LengthOf((byte)id);
            bool isNamed = !ReadingKinds.Describe((byte)id, 0).Name.StartsWith("object_", StringComparison.Ordinal);
            Assert.Equal(length != 0, isNamed && id != BthomeTable.Generic);
            if (length == 0 || length == BthomeTable.VariableLength)
            {
                continue;
            }

            bool isSigned = BthomeTable.IsSigned((byte)id);
            long least = isSigned ? -(1L << ((8 * length) - 1)) : 0;
            long most = isSigned ? -(least + 1) : (1L << (8 * length)) - 1;
            foreach (long value in new[] { least, most })
            {
                writer.Reset(buffer, 0, buffer.Length);
                Assert.True(writer.Add((byte)id, value));
                reader.Reset(buffer, 0, writer.Length);
                Assert.True(reader.Next());
                Assert.Equal(value, reader.RawValue);
            }
        }
    }

    [Fact]
    public void Numbers_and_binary_sensors_never_share_a_name()
    {
        foreach (IGrouping<string, ReadingKind> group in ReadingKinds.All.GroupBy(kind => kind.Name))
        {
            Assert.Single(group.Select(kind => kind.Form).Distinct());
            Assert.Matches("^[a-z][a-z0-9_]*$", group.Key);
        }
    }

    [Fact]
    public void Mutated_readings_never_throw_and_never_read_outside()
    {
        var random = new Random(20260101);
        var reader = new ReadingReader();
        int refused = 0;
        foreach (TelemetryVector vector in TelemetryVectors.All.Where(vector => vector.Kind is "reading" or "bad-reading"))
        {
            for (int round = 0; round < 2_000; round++)
            {
                byte[] bytes = Mutation.Of(vector.Bytes, random);
                reader.Reset(bytes, 0, bytes.Length);
                while (reader.Next())
                {
                    Assert.True(reader.DataOffset + reader.DataLength <= bytes.Length);
                    Assert.NotNull(reader.GetText());
                    Assert.NotNull(ReadingKinds.Describe(reader.ObjectId, reader.Channel).Name);
                }

                refused += reader.Error == ParseError.None ? 0 : 1;
            }
        }

        Assert.InRange(refused, 1_000, 60_000);
    }

    private static string Describe(ReadingReader reader, byte[] buffer)
    {
        ReadingKind kind = ReadingKinds.Describe(reader.ObjectId, reader.Channel);
        if (reader.IsText)
        {
            return $"0x{reader.ObjectId:X2} \"{reader.GetText()}\" {kind.Name}";
        }

        if (reader.IsRaw)
        {
            return $"0x{reader.ObjectId:X2} {Convert.ToHexString(buffer, reader.DataOffset, reader.DataLength)} {kind.Name}";
        }

        string id = reader.IsGeneric ? $"0x{reader.ObjectId:X2}:{reader.Channel}" : $"0x{reader.ObjectId:X2}";
        string unit = kind.Unit.Length == 0 ? "-" : kind.Unit;
        return string.Create(CultureInfo.InvariantCulture, $"{id} {reader.RawValue} {reader.Value} {unit} {kind.Name}");
    }

    private static bool AddLine(ReadingWriter writer, string line)
    {
        string[] words = line.Split(' ');
        byte id = Convert.ToByte(words[0].Split(':')[0], 16);
        switch (id)
        {
            case BthomeTable.Text:
                return writer.AddText(line[(line.IndexOf('"', StringComparison.Ordinal) + 1)..line.LastIndexOf('"')]);
            case BthomeTable.Raw:
                byte[] raw = Convert.FromHexString(words[1]);
                return writer.AddRaw(raw, 0, raw.Length);
            case BthomeTable.Generic:
                byte channel = byte.Parse(words[0].Split(':')[1], CultureInfo.InvariantCulture);
                int decimals = channel == 200 ? 1 : ReadingKinds.Describe(id, channel).Decimals;
                return writer.AddGeneric(channel, decimals, long.Parse(words[1], CultureInfo.InvariantCulture));
            default:
                return writer.Add(id, long.Parse(words[1], CultureInfo.InvariantCulture));
        }
    }
}
