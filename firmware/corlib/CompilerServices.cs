namespace System.Runtime.CompilerServices;

public sealed class CallerMemberNameAttribute : Attribute
{
    public extern CallerMemberNameAttribute();
}

public sealed class IndexerNameAttribute : Attribute
{
    public extern IndexerNameAttribute(string indexerName);
}

public sealed class InternalsVisibleToAttribute : Attribute
{
    public extern string AssemblyName { get; }
    public extern InternalsVisibleToAttribute(string assemblyName);
}

public enum MethodCodeType
{
    IL = 0,
    Native = 1,
    OPTIL = 2,
    Runtime = 3,
}

public sealed class MethodImplAttribute : Attribute
{
    public MethodCodeType MethodCodeType;
    public extern MethodImplOptions Value { get; }
    public extern MethodImplAttribute(MethodImplOptions methodImplOptions);
    public extern MethodImplAttribute(short _value);
    public extern MethodImplAttribute();
}

public enum MethodImplOptions
{
    Unmanaged = 4,
    ForwardRef = 16,
    PreserveSig = 128,
    InternalCall = 4096,
    Synchronized = 32,
    NoInlining = 8,
}

public static class RuntimeHelpers
{
    public static extern int OffsetToStringData { get; }
    public static extern void InitializeArray(Array array, RuntimeFieldHandle fldHandle);
    public static extern object GetObjectValue(object obj);
    public static extern void RunClassConstructor(RuntimeTypeHandle type);
}
