using System.Reflection;

namespace System;

public struct RuntimeArgumentHandle
{
    private long _value;
}

public struct RuntimeFieldHandle
{
    private long _value;
}

public struct RuntimeMethodHandle
{
    private long _value;
}

public struct RuntimeTypeHandle
{
    private long _value;
}

public abstract class Type : MemberInfo
{
    public extern Type DeclaringType { get; }
    public extern Assembly Assembly { get; }
    public extern string FullName { get; }
    public extern string AssemblyQualifiedName { get; }
    public extern Type BaseType { get; }
    public extern bool IsNotPublic { get; }
    public extern bool IsPublic { get; }
    public extern bool IsClass { get; }
    public extern bool IsInterface { get; }
    public extern bool IsValueType { get; }
    public extern bool IsAbstract { get; }
    public extern bool IsEnum { get; }
    public extern bool IsSerializable { get; }
    public extern bool IsArray { get; }
    public static extern Type GetType(string typeName);
    public static extern Type GetTypeFromHandle(RuntimeTypeHandle handle);
    public abstract Type[] GetInterfaces();
    public abstract Type GetElementType();
    public virtual extern bool IsSubclassOf(Type c);
    public virtual extern bool IsInstanceOfType(object o);
    public override extern string ToString();
    protected extern Type();
}

public struct TypedReference
{
    private long _value;
}
