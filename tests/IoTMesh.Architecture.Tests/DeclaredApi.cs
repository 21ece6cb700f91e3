using System.Globalization;
using Mono.Cecil;

namespace IoTMesh.Architecture.Tests;

/// <summary>Renders what a declaration assembly offers in the form of the <see cref="ApiList"/>.</summary>
internal static class DeclaredApi
{
    private static readonly Dictionary<string, string> _keywords = new()
    {
        ["System.Void"] = "void",
        ["System.Object"] = "object",
        ["System.String"] = "string",
        ["System.Boolean"] = "bool",
        ["System.Char"] = "char",
        ["System.SByte"] = "sbyte",
        ["System.Byte"] = "byte",
        ["System.Int16"] = "short",
        ["System.UInt16"] = "ushort",
        ["System.Int32"] = "int",
        ["System.UInt32"] = "uint",
        ["System.Int64"] = "long",
        ["System.UInt64"] = "ulong",
        ["System.Single"] = "float",
        ["System.Double"] = "double",
    };

    public static IEnumerable<ApiType> Types(ModuleDefinition module) => module.GetTypes()
        .Where(type => type.IsPublic || type.IsNestedPublic || type.IsNestedFamily)
        .Select(Render);

    private static ApiType Render(TypeDefinition type)
    {
        bool plain = type.IsInterface || type.IsEnum || type.IsValueType || IsDelegate(type);
        string[] bases = plain && !type.IsInterface && !(type.IsValueType && !type.IsEnum)
            ? []
            : [.. BaseClass(type), .. type.Interfaces.Select(item => Name(item.InterfaceType))];
        ApiType rendered = new(Modifier(type, plain) + Kind(type), type.FullName.Replace('/', '.'), bases);
        rendered.Members.UnionWith(Members(type));
        return rendered;
    }

    private static IEnumerable<string> BaseClass(TypeDefinition type)
    {
        return type.IsInterface || type.IsValueType || type.BaseType == null || type.BaseType.FullName == "System.Object"
            ? []
            : [Name(type.BaseType)];
    }

    private static string Modifier(TypeDefinition type, bool plain)
    {
        return plain ? "" : type.IsAbstract && type.IsSealed ? "static " : type.IsAbstract ? "abstract " : type.IsSealed ? "sealed " : "";
    }

    private static string Kind(TypeDefinition type)
    {
        return type.IsInterface ? "interface" : type.IsEnum ? "enum" : IsDelegate(type) ? "delegate" : type.IsValueType ? "struct" : "class";
    }

    private static bool IsDelegate(TypeDefinition type) => type.BaseType?.FullName == "System.MulticastDelegate";

    private static IEnumerable<string> Members(TypeDefinition type)
    {
        if (type.IsEnum)
        {
            return type.Fields.Where(field => field.HasConstant).Select(field => $"{field.Name}={Constant(field)}");
        }

        if (IsDelegate(type))
        {
            return type.Methods.Where(method => method.Name == "Invoke").Select(invoke => $"{Name(invoke.ReturnType)} Invoke({Parameters(invoke)})");
        }

        return type.Fields.Where(field => field.IsPublic).Select(Field)
            .Concat(type.Properties.Where(property => Accessors(property).Any(IsVisible)).Select(Property))
            .Concat(type.Events.Where(item => IsVisible(item.AddMethod)).Select(item => $"event {Name(item.EventType)} {item.Name}"))
            .Concat(type.Methods.Where(method => IsVisible(method) && !IsAccessor(method)).Select(Method));
    }

    private static bool IsAccessor(MethodDefinition method) => method.IsGetter || method.IsSetter || method.IsAddOn || method.IsRemoveOn;

    private static string? Constant(FieldDefinition field) => Convert.ToString(field.Constant, CultureInfo.InvariantCulture);

    private static bool IsVisible(MethodDefinition method) => method.IsPublic || method.IsFamily || method.IsFamilyOrAssembly;

    private static IEnumerable<MethodDefinition> Accessors(PropertyDefinition property) =>
        new[] { property.GetMethod, property.SetMethod }.Where(accessor => accessor != null);

    private static string Field(FieldDefinition field)
    {
        // The lists do not say what a char is.
        return field.HasConstant && field.FieldType.FullName == "System.Char" ? $"const char {field.Name}"
            : field.HasConstant ? $"const {Name(field.FieldType)} {field.Name} = {Constant(field)}"
            : $"{(field.IsStatic ? "static " : "")}{Name(field.FieldType)} {field.Name}";
    }

    private static string Property(PropertyDefinition property)
    {
        string index = property.HasParameters ? $"[{string.Join(", ", property.Parameters.Select(parameter => Name(parameter.ParameterType)))}]" : "";
        string accessors = (property.GetMethod != null ? "get; " : "") + (property.SetMethod != null ? "set; " : "");
        bool isStatic = Accessors(property).First().IsStatic;
        return $"{(isStatic ? "static " : "")}{Name(property.PropertyType)} {property.Name}{index} {{ {accessors}}}";
    }

    private static string Method(MethodDefinition method)
    {
        string suffix = method.IsPublic ? "" : " protected";
        return method.IsConstructor
            ? $"new({Parameters(method)}){suffix}"
            : $"{MethodModifier(method)}{Name(method.ReturnType)} {method.Name}({Parameters(method)}){suffix}";
    }

    private static string MethodModifier(MethodDefinition method)
    {
        if (method.IsStatic)
        {
            return "static ";
        }

        if (!method.IsVirtual || method.DeclaringType.IsInterface)
        {
            return "";
        }

        return method.IsAbstract ? "abstract " : !method.IsNewSlot ? "override " : method.IsFinal ? "" : "virtual ";
    }

    private static string Parameters(MethodDefinition method) => string.Join(", ", method.Parameters.Select(parameter =>
        (parameter.IsOut ? "out " : parameter.ParameterType.IsByReference ? "ref " : "") + Name(parameter.ParameterType) + " " + parameter.Name));

    private static string Name(TypeReference type)
    {
        return type switch
        {
            ByReferenceType reference => Name(reference.ElementType),
            ArrayType array => Name(array.ElementType) + "[]",
            _ => _keywords.GetValueOrDefault(type.FullName, type.FullName.Replace('/', '.')),
        };
    }
}
