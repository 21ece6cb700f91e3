using System.Collections.Immutable;
using System.Reflection.Metadata;

namespace IoTMesh.Architecture.Tests;

/// <summary>Decodes signatures only to note the shapes that the interpreter of nanoFramework 1.x does not have.</summary>
internal sealed class ShapeCollector : ISignatureTypeProvider<string, object?>
{
    /// <summary>One line for each forbidden shape seen so far.</summary>
    public HashSet<string> Faults { get; } = [];

    public string GetArrayType(string elementType, ArrayShape shape) =>
        Fault($"multi-dimensional array {elementType}[{new string(',', shape.Rank - 1)}]");

    public string GetGenericInstantiation(string genericType, ImmutableArray<string> typeArguments) =>
        Fault($"generic type {genericType}<{string.Join(", ", typeArguments)}>");

    public string GetGenericMethodParameter(object? genericContext, int index) => Fault($"generic method parameter {index}");

    public string GetGenericTypeParameter(object? genericContext, int index) => Fault($"generic type parameter {index}");

    public string GetPinnedType(string elementType) => Fault($"pinned {elementType} (fixed)");

    public string GetPointerType(string elementType) => Fault($"pointer {elementType}*");

    public string GetFunctionPointerType(MethodSignature<string> signature) => Fault("function pointer");

    public string GetByReferenceType(string elementType) => elementType + "&";

    public string GetSZArrayType(string elementType) => elementType + "[]";

    public string GetModifiedType(string modifier, string unmodifiedType, bool isRequired) => Fault($"modifier {modifier} on {unmodifiedType}");

    public string GetPrimitiveType(PrimitiveTypeCode typeCode) => typeCode.ToString();

    public string GetTypeFromDefinition(MetadataReader reader, TypeDefinitionHandle handle, byte rawTypeKind) =>
        reader.GetString(reader.GetTypeDefinition(handle).Name);

    public string GetTypeFromReference(MetadataReader reader, TypeReferenceHandle handle, byte rawTypeKind) =>
        reader.GetString(reader.GetTypeReference(handle).Name);

    public string GetTypeFromSpecification(MetadataReader reader, object? genericContext, TypeSpecificationHandle handle, byte rawTypeKind) =>
        reader.GetTypeSpecification(handle).DecodeSignature(this, genericContext);

    private string Fault(string what)
    {
        Faults.Add(what);
        return what;
    }
}
