namespace System;

public class Exception
{
    public int HResult;
    public virtual extern string Message { get; }
    public extern Exception InnerException { get; }
    public virtual extern string StackTrace { get; }
    public extern Exception();
    public extern Exception(string message);
    public extern Exception(string message, Exception innerException);
    public override extern string ToString();
}

public class SystemException : Exception
{
    public extern SystemException();
    public extern SystemException(string message);
    public extern SystemException(string message, Exception innerException);
}

public class ApplicationException : Exception
{
    public extern ApplicationException();
    public extern ApplicationException(string message);
    public extern ApplicationException(string message, Exception innerException);
}

public class ArgumentException : SystemException
{
    public override extern string Message { get; }
    public extern string ParamName { get; }
    public extern ArgumentException();
    public extern ArgumentException(string message);
    public extern ArgumentException(string message, Exception innerException);
    public extern ArgumentException(string message, string paramName);
    public extern ArgumentException(string message, string paramName, Exception innerException);
    public static extern void ThrowIfNullOrEmpty(string argument, string paramName);
}

public class ArgumentNullException : ArgumentException
{
    public extern ArgumentNullException();
    public extern ArgumentNullException(string paramName);
    public extern ArgumentNullException(string message, Exception innerException);
    public extern ArgumentNullException(string paramName, string message);
    public static extern void ThrowIfNull(object argument, string paramName);
}

public class ArgumentOutOfRangeException : ArgumentException
{
    public extern ArgumentOutOfRangeException();
    public extern ArgumentOutOfRangeException(string paramName);
    public extern ArgumentOutOfRangeException(string paramName, string message);
}

public class FormatException : SystemException
{
    public extern FormatException();
    public extern FormatException(string message);
    public extern FormatException(string message, Exception innerException);
}

public class IndexOutOfRangeException : SystemException
{
    public extern IndexOutOfRangeException();
    public extern IndexOutOfRangeException(string message);
    public extern IndexOutOfRangeException(string message, Exception innerException);
}

public class InvalidCastException : SystemException
{
    public extern InvalidCastException();
    public extern InvalidCastException(string message);
    public extern InvalidCastException(string message, Exception innerException);
}

public class InvalidOperationException : SystemException
{
    public extern InvalidOperationException();
    public extern InvalidOperationException(string message);
    public extern InvalidOperationException(string message, Exception innerException);
}

public class NotImplementedException : SystemException
{
    public extern NotImplementedException();
    public extern NotImplementedException(string message);
    public extern NotImplementedException(string message, Exception innerException);
}

public class NotSupportedException : SystemException
{
    public extern NotSupportedException();
    public extern NotSupportedException(string message);
    public extern NotSupportedException(string message, Exception innerException);
}

public class NullReferenceException : SystemException
{
    public extern NullReferenceException();
    public extern NullReferenceException(string message);
    public extern NullReferenceException(string message, Exception innerException);
}

public class ObjectDisposedException : SystemException
{
    public extern ObjectDisposedException();
    public extern ObjectDisposedException(string message);
    public extern ObjectDisposedException(string message, Exception innerException);
}

public class OutOfMemoryException : SystemException
{
    public extern OutOfMemoryException();
    public extern OutOfMemoryException(string message);
    public extern OutOfMemoryException(string message, Exception innerException);
}

public class PlatformNotSupportedException : NotSupportedException
{
    public extern PlatformNotSupportedException();
}

public class TimeoutException : SystemException
{
    public extern TimeoutException();
    public extern TimeoutException(string message);
    public extern TimeoutException(string message, Exception innerException);
}
