namespace System;

public interface ICloneable
{
    object Clone();
}

public interface IComparable
{
    int CompareTo(object obj);
}

public interface IDisposable
{
    void Dispose();
}
