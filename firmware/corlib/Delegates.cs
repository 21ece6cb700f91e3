using System.Reflection;

namespace System;

public abstract class Delegate
{
    public extern MethodInfo Method { get; }
    public extern object Target { get; }
    public override extern bool Equals(object obj);
    public static extern Delegate Combine(Delegate a, Delegate b);
    public virtual extern Delegate[] GetInvocationList();
    public static extern Delegate Remove(Delegate source, Delegate value);
    public static extern bool operator ==(Delegate d1, Delegate d2);
    public static extern bool operator !=(Delegate d1, Delegate d2);
    protected extern Delegate();
}

public abstract class MulticastDelegate : Delegate
{
    public static extern bool operator ==(MulticastDelegate d1, MulticastDelegate d2);
    public static extern bool operator !=(MulticastDelegate d1, MulticastDelegate d2);
    public override extern bool Equals(object obj);
    protected extern MulticastDelegate();
}

public delegate void Action();

public class EventArgs
{
    public static readonly EventArgs Empty;
    public extern EventArgs();
}

public delegate void EventHandler(object sender, EventArgs e);

public delegate void AsyncCallback(IAsyncResult ar);

public interface IAsyncResult
{
}
