using System.Text;

namespace System.IO;

public class MemoryStream : Stream
{
    public override extern bool CanRead { get; }
    public override extern bool CanSeek { get; }
    public override extern bool CanWrite { get; }
    public override extern long Length { get; }
    public override extern long Position { get; set; }
    public extern MemoryStream();
    public extern MemoryStream(byte[] buffer);
    public extern MemoryStream(byte[] buffer, bool isWritable);
    protected override extern void Dispose(bool disposing);
    public override extern void Flush();
    public virtual extern byte[] GetBuffer();
    public override extern int Read(SpanByte buffer);
    public override extern int Read(byte[] buffer, int offset, int count);
    public override extern int ReadByte();
    public override extern long Seek(long offset, SeekOrigin origin);
    public override extern void SetLength(long value);
    public virtual extern byte[] ToArray();
    public override extern void Write(byte[] buffer, int offset, int count);
    public override extern void WriteByte(byte value);
    public virtual extern void WriteTo(Stream stream);
}

public enum SeekOrigin
{
    Begin = 0,
    Current = 1,
    End = 2,
}

public abstract class Stream : MarshalByRefObject, IDisposable
{
    public abstract bool CanRead { get; }
    public abstract bool CanSeek { get; }
    public virtual extern bool CanTimeout { get; }
    public abstract bool CanWrite { get; }
    public abstract long Length { get; }
    public abstract long Position { get; set; }
    public virtual extern int ReadTimeout { get; set; }
    public virtual extern int WriteTimeout { get; set; }
    public virtual extern void Close();
    public extern void CopyTo(Stream destination);
    public extern void Dispose();
    protected virtual extern void Dispose(bool disposing);
    public abstract void Flush();
    public abstract long Seek(long offset, SeekOrigin origin);
    public abstract void SetLength(long value);
    public abstract int Read(SpanByte buffer);
    public abstract int Read(byte[] buffer, int offset, int count);
    public virtual extern int ReadByte();
    public abstract void Write(byte[] buffer, int offset, int count);
    public virtual extern void WriteByte(byte value);
    protected extern Stream();
}

public class StreamReader : TextReader
{
    public extern Stream BaseStream { get; }
    public extern Encoding CurrentEncoding { get; }
    public extern bool EndOfStream { get; }
    public extern StreamReader(Stream stream, bool leaveOpen);
    public override extern void Close();
    protected override extern void Dispose(bool disposing);
    public override extern int Peek();
    public override extern int Read();
    public override extern int Read(char[] buffer, int index, int count);
    public override extern string ReadLine();
    public override extern string ReadToEnd();
}

public class StreamWriter : TextWriter
{
    public extern Stream BaseStream { get; }
    public override extern Encoding Encoding { get; }
    public override extern string NewLine { get; set; }
    public extern StreamWriter(Stream stream, bool leaveOpen);
    public override extern void Close();
    protected override extern void Dispose(bool disposing);
    public override extern void Flush();
    public override extern void Write(char value);
    public override extern void Write(string value);
    public override extern void WriteLine();
    public override extern void WriteLine(string value);
}

public abstract class TextReader : MarshalByRefObject, IDisposable
{
    protected extern TextReader();
    public virtual extern void Close();
    public extern void Dispose();
    protected virtual extern void Dispose(bool disposing);
    public virtual extern int Peek();
    public virtual extern int Read();
    public virtual extern int Read(char[] buffer, int index, int count);
    public virtual extern int ReadBlock(char[] buffer, int index, int count);
    public virtual extern string ReadLine();
    public virtual extern string ReadToEnd();
}

public abstract class TextWriter : MarshalByRefObject, IDisposable
{
    public abstract Encoding Encoding { get; }
    public virtual extern string NewLine { get; set; }
    public virtual extern void Close();
    protected virtual extern void Dispose(bool disposing);
    public extern void Dispose();
    public virtual extern void Flush();
    public virtual extern void Write(char value);
    public virtual extern void Write(char[] buffer);
    public virtual extern void Write(char[] buffer, int index, int count);
    public virtual extern void Write(bool value);
    public virtual extern void Write(int value);
    public virtual extern void Write(uint value);
    public virtual extern void Write(long value);
    public virtual extern void Write(ulong value);
    public virtual extern void Write(float value);
    public virtual extern void Write(double value);
    public virtual extern void Write(string value);
    public virtual extern void Write(object value);
    public virtual extern void WriteLine();
    public virtual extern void WriteLine(char value);
    public virtual extern void WriteLine(char[] buffer);
    public virtual extern void WriteLine(char[] buffer, int index, int count);
    public virtual extern void WriteLine(bool value);
    public virtual extern void WriteLine(int value);
    public virtual extern void WriteLine(uint value);
    public virtual extern void WriteLine(long value);
    public virtual extern void WriteLine(ulong value);
    public virtual extern void WriteLine(float value);
    public virtual extern void WriteLine(double value);
    public virtual extern void WriteLine(string value);
    public virtual extern void WriteLine(object value);
    protected extern TextWriter();
}
