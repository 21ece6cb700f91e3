namespace System.Runtime.InteropServices;

public sealed class ComVisibleAttribute : Attribute
{
    public extern bool Value { get; }
    public extern ComVisibleAttribute(bool visibility);
}

public sealed class GuidAttribute : Attribute
{
    public extern string Value { get; }
    public extern GuidAttribute(string guid);
}

public sealed class OutAttribute : Attribute
{
    public extern OutAttribute();
}
