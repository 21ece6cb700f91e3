using System.Reflection;

namespace IoTMesh.Core.Tests.Routing.Model;

/// <summary>
/// Copies the arrays and counts of a table out to bytes and back, so that one real table can be put into any state. Fields are found
/// by reflection: one that is added later is part of the state without anyone thinking of it.
/// </summary>
internal sealed class TableImage
{
    private readonly object _table;
    private readonly Array[] _arrays;
    private readonly int[] _bytes;
    private readonly FieldInfo[] _scalars;

    /// <param name="leftOut">Fields that have no part in choosing a next hop, or never change in the model.</param>
    internal TableImage(object table, params string[] leftOut)
    {
        const BindingFlags Instance = BindingFlags.Instance | BindingFlags.Public | BindingFlags.NonPublic;
        _table = table;
        FieldInfo[] fields = [.. table.GetType().GetFields(Instance).Where(field => !leftOut.Contains(NameOf(field)))];
        _arrays = [.. fields.Where(field => field.FieldType.IsArray).Select(field => (Array)field.GetValue(table)!)];
        _scalars = [.. fields.Where(field => !field.IsInitOnly && (field.FieldType == typeof(int) || field.FieldType == typeof(bool)))];
        _bytes = [.. _arrays.Select(Buffer.ByteLength)];
        Length = _arrays.Sum(Buffer.ByteLength) + _scalars.Length;
    }

    internal int Length { get; }

    internal void Save(byte[] image, int at)
    {
        for (int i = 0; i < _arrays.Length; i++)
        {
            Buffer.BlockCopy(_arrays[i], 0, image, at, _bytes[i]);
            at += _bytes[i];
        }

        for (int i = 0; i < _scalars.Length; i++)
        {
            image[at++] = Convert.ToByte(_scalars[i].GetValue(_table), System.Globalization.CultureInfo.InvariantCulture);
        }
    }

    internal void Load(byte[] image, int at)
    {
        for (int i = 0; i < _arrays.Length; i++)
        {
            Buffer.BlockCopy(image, at, _arrays[i], 0, _bytes[i]);
            at += _bytes[i];
        }

        for (int i = 0; i < _scalars.Length; i++)
        {
            int value = image[at++];
            _scalars[i].SetValue(_table, _scalars[i].FieldType == typeof(bool) ? value != 0 : value);
        }
    }

    private static string NameOf(FieldInfo field) =>
        field.Name.StartsWith('<') ? field.Name[1..field.Name.IndexOf('>', StringComparison.Ordinal)] : field.Name;
}
