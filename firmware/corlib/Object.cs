using System.Collections;
using System.Runtime.CompilerServices;

namespace System;

public class Object
{
    public extern Object();
    public virtual extern string ToString();
    public virtual extern bool Equals(object obj);
    public static extern bool Equals(object objA, object objB);
    public static extern bool ReferenceEquals(object objA, object objB);
    public virtual extern int GetHashCode();
    public extern Type GetType();
    protected extern object MemberwiseClone();
}

public abstract class ValueType
{
    public override extern bool Equals(object obj);
    protected extern ValueType();
}

public abstract class Enum : ValueType
{
    public extern bool HasFlag(Enum flag);
    public override extern string ToString();
    protected extern Enum();
}

public abstract class Array : ICloneable, IList, ICollection, IEnumerable
{
    public extern int Length { get; }
    public extern object SyncRoot { get; }
    public extern bool IsReadOnly { get; }
    public extern bool IsFixedSize { get; }
    public extern bool IsSynchronized { get; }
    public static extern Array CreateInstance(Type elementType, int length);
    public static extern void Copy(Array sourceArray, Array destinationArray, int length);
    public static extern void Copy(Array sourceArray, int sourceIndex, Array destinationArray, int destinationIndex, int length);
    public static extern void Clear(Array array, int index, int length);
    public extern object GetValue(int index);
    public extern object Clone();
    public static extern int BinarySearch(Array array, object value, IComparer comparer);
    public static extern int BinarySearch(Array array, int index, int length, object value, IComparer comparer);
    public extern void CopyTo(Array array, int index);
    public extern IEnumerator GetEnumerator();
    public static extern int IndexOf(Array array, object value);
    public static extern int IndexOf(Array array, object value, int startIndex);
    public static extern int IndexOf(Array array, object value, int startIndex, int count);
    protected extern Array();
    extern int ICollection.Count { get; }
    extern object IList.this[int index] { get; set; }
    extern int IList.Add(object value);
    extern bool IList.Contains(object value);
    extern void IList.Clear();
    extern int IList.IndexOf(object value);
    extern void IList.Insert(int index, object value);
    extern void IList.Remove(object value);
    extern void IList.RemoveAt(int index);
}

public sealed class String : IComparable, IEnumerable
{
    public static readonly string Empty;
    [IndexerName("Chars")]
    public extern char this[int index] { get; }
    public extern int Length { get; }
    public extern IEnumerator GetEnumerator();
    public override extern bool Equals(object obj);
    public static extern bool Equals(string a, string b);
    public static extern bool operator ==(string a, string b);
    public static extern bool operator !=(string a, string b);
    public extern char[] ToCharArray();
    public extern char[] ToCharArray(int startIndex, int length);
    public extern string[] Split(params char[] separator);
    public extern string[] Split(char[] separator, int count);
    public extern string Substring(int startIndex);
    public extern string Substring(int startIndex, int length);
    public extern string Trim(params char[] trimChars);
    public extern string TrimStart(params char[] trimChars);
    public extern string TrimEnd(params char[] trimChars);
    public extern String(char[] value, int startIndex, int length);
    public extern String(char[] value);
    public extern String(char c, int count);
    public static extern int Compare(string strA, string strB);
    public extern int CompareTo(object value);
    public extern int CompareTo(string strB);
    public extern int IndexOf(char value);
    public extern int IndexOf(char value, int startIndex);
    public extern int IndexOf(char value, int startIndex, int count);
    public extern int IndexOfAny(char[] anyOf);
    public extern int IndexOfAny(char[] anyOf, int startIndex);
    public extern int IndexOfAny(char[] anyOf, int startIndex, int count);
    public extern int IndexOf(string value);
    public extern int IndexOf(string value, int startIndex);
    public extern int IndexOf(string value, int startIndex, int count);
    public extern int LastIndexOf(char value);
    public extern int LastIndexOf(char value, int startIndex);
    public extern int LastIndexOf(char value, int startIndex, int count);
    public extern int LastIndexOfAny(char[] anyOf);
    public extern int LastIndexOfAny(char[] anyOf, int startIndex);
    public extern int LastIndexOfAny(char[] anyOf, int startIndex, int count);
    public extern int LastIndexOf(string value);
    public extern int LastIndexOf(string value, int startIndex);
    public extern int LastIndexOf(string value, int startIndex, int count);
    public extern string ToLower();
    public extern string ToUpper();
    public override extern string ToString();
    public extern string Trim();
    public static extern string Concat(object arg0);
    public static extern string Concat(object arg0, object arg1);
    public static extern string Concat(object arg0, object arg1, object arg2);
    public static extern string Concat(params object[] args);
    public static extern string Concat(string str0, string str1);
    public static extern string Concat(string str0, string str1, string str2);
    public static extern string Concat(string str0, string str1, string str2, string str3);
    public static extern string Concat(params string[] values);
    public static extern string Intern(string str);
    public static extern string IsInterned(string str);
    public static extern string Format(string format, params object[] args);
    public extern string PadLeft(int totalWidth, char paddingChar);
    public extern string PadRight(int totalWidth, char paddingChar);
    public static extern bool IsNullOrEmpty(string value);
    public extern bool Contains(string value);
    public extern bool StartsWith(string value);
    public extern bool EndsWith(string value);
}
