namespace System.Runtime.Versioning;

public sealed class TargetFrameworkAttribute : Attribute
{
    public extern string FrameworkName { get; }
    public extern string FrameworkDisplayName { get; set; }
    public extern TargetFrameworkAttribute(string frameworkName);
}
