using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.Emit;

namespace IoTMesh.Architecture.Tests;

/// <summary>The assemblies that go to the device, and that the check itself finds what it is for.</summary>
public sealed class DeviceAssemblyTests
{
    private static readonly IReadOnlySet<string> _declared = ProjectFile.Declarations.Select(project => project.AssemblyName)
        .Concat(ProjectFile.Device.Select(project => project.AssemblyName))
        .ToHashSet();

    public static TheoryData<string> DeviceProjects => [.. ProjectFile.Device.Select(project => project.Path)];

    [Theory]
    [MemberData(nameof(DeviceProjects))]
    public void Uses_only_what_the_device_has(string path)
    {
        ProjectFile project = ProjectFile.Device.Single(project => project.Path == path);
        using FileStream image = File.OpenRead(project.OutputPath);
        Report.None(DeviceAssembly.FaultsOf(image, _declared).Select(fault => $"{project.AssemblyName}: {fault}"));
    }

    [Theory]
    [InlineData("static T Id<T>(T x) { return x; }", "GenericParam rows")]
    [InlineData("static T Id<T>(T x) { return x; } static int Use() { return Id(1); }", "MethodSpec rows")]
    [InlineData("class Box<T> { } static object Use() { return new Box<int>(); }", "generic type Box`1<Int32>")]
    [InlineData("static int[,] Table = new int[2, 2];", "multi-dimensional array")]
    [InlineData("static unsafe int Use() { int* p = stackalloc int[4]; return p[0]; }", "stackalloc")]
    [InlineData("static unsafe int Use(byte[] b) { fixed (byte* p = b) { return *p; } }", "pinned")]
    [InlineData("static int Add(int a, int b) { return checked(a + b); }", "checked arithmetic")]
    [InlineData("static int Get(in int a) { return a; }", "embedded IsReadOnlyAttribute")]
    public void Finds_what_compiles_and_misbehaves(string member, string expected)
    {
        IReadOnlyList<string> faults = Compile(member, "noRefSafetyRulesAttribute");

        Assert.Contains(faults, fault => fault.Contains(expected, StringComparison.Ordinal));
    }

    [Fact]
    public void Finds_a_missing_noRefSafetyRulesAttribute()
    {
        IReadOnlyList<string> faults = Compile("static int One() { return 1; }", null);

        Assert.Contains(faults, fault => fault.Contains("RefSafetyRulesAttribute", StringComparison.Ordinal));
    }

    [Fact]
    public void Finds_an_undeclared_reference()
    {
        using MemoryStream image = Emit("static int One() { return 1; }", "noRefSafetyRulesAttribute");

        Assert.Equal(["references mscorlib, which is not declared"], DeviceAssembly.FaultsOf(image, new HashSet<string>()));
    }

    [Fact]
    public void Accepts_the_plain_language()
    {
        Assert.Empty(Compile(
            "delegate int Op(int x);" +
            "static int Use(string s) { int[][] t = { new int[1] }; Op op = x => x + t[0][0]; lock (s) { return op(s.Length); } }",
            "noRefSafetyRulesAttribute"));
    }

    [Theory]
    [InlineData("System.Collections.Generic.List<int> X;")]
    [InlineData("int? X;")]
    [InlineData("(int, int) X() { return (1, 2); }")]
    [InlineData("record Pair(int A);")]
    [InlineData("async void X() { await null; }")]
    [InlineData("char X(string s) { return s[^1]; }")]
    [InlineData("string X(string s) { return s[1..]; }")]
    [InlineData("System.Collections.IEnumerable X() { yield return 1; }")]
    [InlineData("decimal X = 1;")]
    [InlineData("object X = new { A = 1 };")]
    [InlineData("long X(long a, long b) { return System.Math.Max(a, b); }")]
    [InlineData("string X(string s) { return s.Replace('a', 'b'); }")]
    [InlineData("volatile int X;")]
    [InlineData("interface IPart { int Size() { return 1; } }")]
    [InlineData("System.EventHandler<System.EventArgs> X;")]
    public void The_declarations_reject_what_the_device_lacks(string member)
    {
        EmitResult result = Compilation(member, "noRefSafetyRulesAttribute").Emit(new MemoryStream());

        Assert.False(result.Success, "compiled against the declarations: " + member);
    }

    private static IReadOnlyList<string> Compile(string member, string? feature)
    {
        using MemoryStream image = Emit(member, feature);
        return DeviceAssembly.FaultsOf(image, _declared);
    }

    private static MemoryStream Emit(string member, string? feature)
    {
        MemoryStream image = new();
        EmitResult result = Compilation(member, feature).Emit(image);
        Assert.True(result.Success, string.Join(Environment.NewLine, result.Diagnostics));
        image.Position = 0;
        return image;
    }

    private static CSharpCompilation Compilation(string member, string? feature)
    {
        CSharpParseOptions parse = new(LanguageVersion.CSharp13);
        if (feature != null)
        {
            parse = parse.WithFeatures([new KeyValuePair<string, string>(feature, "true")]);
        }

        return CSharpCompilation.Create(
            "Snippet",
            [CSharpSyntaxTree.ParseText($"internal static class Snippet {{ {member} }}", parse)],
            ProjectFile.Declarations.Select(project => MetadataReference.CreateFromFile(project.OutputPath)),
            new CSharpCompilationOptions(OutputKind.DynamicallyLinkedLibrary, allowUnsafe: true, optimizationLevel: OptimizationLevel.Release));
    }
}
