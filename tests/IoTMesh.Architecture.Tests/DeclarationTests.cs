using Mono.Cecil;

namespace IoTMesh.Architecture.Tests;

/// <summary>Nothing is declared in firmware/corlib and firmware/device-apis that the device does not have.</summary>
public sealed class DeclarationTests
{
    public static TheoryData<string> Declarations => [.. ProjectFile.Declarations.Select(project => project.AssemblyName)];

    [ApiListTheory]
    [MemberData(nameof(Declarations))]
    public void Declared_members_exist_on_the_device(string assembly)
    {
        IReadOnlyDictionary<string, ApiType>? listed = ApiList.Load(ApiList.Folder!).TypesOf(assembly);
        Assert.True(listed != null, $"no list of {ApiList.Folder} describes an assembly {assembly}");
        ProjectFile project = ProjectFile.Declarations.Single(project => project.AssemblyName == assembly);
        using ModuleDefinition module = ModuleDefinition.ReadModule(project.OutputPath);
        Report.None(DeclaredApi.Types(module).SelectMany(declared => Faults(declared, listed)));
    }

    [Theory]
    [InlineData("class A.B : A.C", "class A.B : A.C", null)]
    [InlineData("class A.B", "class A.B : A.C", "A.B: base A.C is not listed")]
    [InlineData("struct A.B", "class A.B", "A.B: is a class, listed as struct")]
    [InlineData("class A.D", "class A.B", "A.B: not listed")]
    [InlineData("class A.B|int Size()", "class A.B|int Size()", null)]
    [InlineData("class A.B|int Size()", "class A.B|long Size()", "A.B: long Size() is not listed")]
    [InlineData("class A.B|int Size { get; set; }", "class A.B|int Size { get; }", null)]
    [InlineData("class A.B|int Size { get; }", "class A.B|int Size { get; set; }", "A.B: int Size { get; set; } is not listed")]
    [InlineData("enum A.B|One=1, Two=2", "enum A.B|Two=2", null)]
    [InlineData("enum A.B|One=1, Two=2", "enum A.B|Two=3", "A.B: Two=3 is not listed")]
    public void Finds_what_is_not_listed(string list, string declaration, string? expected)
    {
        ApiType known = Parse(list);

        Assert.Equal(expected == null ? [] : [expected], Faults(Parse(declaration), new Dictionary<string, ApiType> { [known.Name] = known }));
    }

    private static ApiType Parse(string text)
    {
        string[] lines = text.Split('|');
        ApiType type = ApiType.Parse(lines[0]);
        type.Members.UnionWith(lines[1..]);
        return type;
    }

    private static IEnumerable<string> Faults(ApiType declared, IReadOnlyDictionary<string, ApiType> listed)
    {
        if (!listed.TryGetValue(declared.Name, out ApiType? known))
        {
            return [$"{declared.Name}: not listed"];
        }

        if (known.Kind != declared.Kind)
        {
            return [$"{declared.Name}: is a {declared.Kind}, listed as {known.Kind}"];
        }

        HashSet<string> members = [.. known.Members.SelectMany(member => Accepted(known.Kind, member))];
        return declared.Bases.Except(known.Bases).Select(item => $"{declared.Name}: base {item} is not listed")
            .Concat(declared.Members.Except(members).Select(member => $"{declared.Name}: {member} is not listed"));
    }

    /// <summary>The forms that a declaration of a listed member may take.</summary>
    private static IEnumerable<string> Accepted(string kind, string member)
    {
        if (kind == "enum")
        {
            return member.Split(", ");
        }

        if (member.StartsWith("const char ", StringComparison.Ordinal))
        {
            return [member[..member.IndexOf(" =", StringComparison.Ordinal)]];
        }

        return [member, member.Replace("{ get; set; }", "{ get; }", StringComparison.Ordinal)];
    }
}

/// <summary>A theory that needs the API lists; reported as skipped where they are not at hand.</summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class ApiListTheoryAttribute : TheoryAttribute
{
    public ApiListTheoryAttribute()
    {
        if (ApiList.Folder == null)
        {
            Skip = $"Set {ApiList.Variable} to the folder of the device's API lists to compare the declarations with them.";
        }
    }
}
