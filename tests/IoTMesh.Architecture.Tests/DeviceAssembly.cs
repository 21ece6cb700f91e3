using System.Reflection;
using System.Reflection.Emit;
using System.Reflection.Metadata;
using System.Reflection.Metadata.Ecma335;
using System.Reflection.PortableExecutable;

namespace IoTMesh.Architecture.Tests;

/// <summary>
/// Finds in a compiled device assembly what the compiler accepts and the nanoFramework 1.x interpreter does not: see
/// docs/adr/0001-nanoframework-1x.md.
/// </summary>
internal static class DeviceAssembly
{
    private static readonly Dictionary<int, OpCode> _opCodes = typeof(OpCodes).GetFields(BindingFlags.Public | BindingFlags.Static)
        .Select(field => (OpCode)field.GetValue(null)!)
        .ToDictionary(code => code.Value & 0xFFFF);

    /// <summary>One line for each fault.</summary>
    /// <param name="image">The assembly's bytes.</param>
    /// <param name="declaredAssemblies">Names that it may reference.</param>
    public static IReadOnlyList<string> FaultsOf(Stream image, IReadOnlySet<string> declaredAssemblies)
    {
        using PEReader pe = new(image);
        MetadataReader metadata = pe.GetMetadataReader();
        List<string> faults = [];
        faults.AddRange(TableFaults(metadata));
        faults.AddRange(metadata.AssemblyReferences
            .Select(handle => metadata.GetString(metadata.GetAssemblyReference(handle).Name))
            .Where(name => !declaredAssemblies.Contains(name))
            .Select(name => $"references {name}, which is not declared"));
        faults.AddRange(EmbeddedTypeFaults(metadata));
        faults.AddRange(SignatureFaults(metadata, pe));
        faults.AddRange(CodeFaults(metadata, pe));
        return faults;
    }

    private static IEnumerable<string> TableFaults(MetadataReader metadata)
    {
        TableIndex[] mustBeEmpty = [TableIndex.GenericParam, TableIndex.GenericParamConstraint, TableIndex.MethodSpec];
        return mustBeEmpty
            .Where(table => metadata.GetTableRowCount(table) != 0)
            .Select(table => $"{metadata.GetTableRowCount(table)} {table} rows: no generics of our own");
    }

    /// <summary>Attribute classes that the compiler wrote into the assembly because the corlib has none.</summary>
    private static IEnumerable<string> EmbeddedTypeFaults(MetadataReader metadata)
    {
        foreach (TypeDefinitionHandle handle in metadata.TypeDefinitions)
        {
            TypeDefinition type = metadata.GetTypeDefinition(handle);
            string space = metadata.GetString(type.Namespace);
            if (space is "System.Runtime.CompilerServices" or "Microsoft.CodeAnalysis")
            {
                yield return $"the compiler embedded {metadata.GetString(type.Name)}: it shifts the interpreter's native tables";
            }
        }
    }

    private static IEnumerable<string> SignatureFaults(MetadataReader metadata, PEReader pe)
    {
        ShapeCollector shapes = new();
        foreach (FieldDefinitionHandle field in metadata.FieldDefinitions)
        {
            metadata.GetFieldDefinition(field).DecodeSignature(shapes, null);
        }

        foreach (MethodDefinitionHandle handle in metadata.MethodDefinitions)
        {
            MethodDefinition method = metadata.GetMethodDefinition(handle);
            method.DecodeSignature(shapes, null);
            if (method.RelativeVirtualAddress != 0 && pe.GetMethodBody(method.RelativeVirtualAddress).LocalSignature is { IsNil: false } locals)
            {
                metadata.GetStandaloneSignature(locals).DecodeLocalSignature(shapes, null);
            }
        }

        foreach (MemberReferenceHandle handle in metadata.MemberReferences)
        {
            MemberReference member = metadata.GetMemberReference(handle);
            if (member.GetKind() == MemberReferenceKind.Method)
            {
                member.DecodeMethodSignature(shapes, null);
            }
            else
            {
                member.DecodeFieldSignature(shapes, null);
            }
        }

        for (int row = 1; row <= metadata.GetTableRowCount(TableIndex.TypeSpec); row++)
        {
            metadata.GetTypeSpecification(MetadataTokens.TypeSpecificationHandle(row)).DecodeSignature(shapes, null);
        }

        return shapes.Faults;
    }

    private static IEnumerable<string> CodeFaults(MetadataReader metadata, PEReader pe)
    {
        foreach (MethodDefinitionHandle handle in metadata.MethodDefinitions)
        {
            MethodDefinition method = metadata.GetMethodDefinition(handle);
            if (method.RelativeVirtualAddress == 0)
            {
                continue;
            }

            foreach (OpCode code in Instructions(pe.GetMethodBody(method.RelativeVirtualAddress).GetILReader()))
            {
                if (code == OpCodes.Localloc)
                {
                    yield return $"{Name(metadata, handle)}: stackalloc";
                }
                else if (code.Name!.Contains(".ovf", StringComparison.Ordinal))
                {
                    yield return $"{Name(metadata, handle)}: checked arithmetic ({code.Name}) does nothing on the device";
                }
            }
        }
    }

    private static IEnumerable<OpCode> Instructions(BlobReader il)
    {
        List<OpCode> codes = [];
        while (il.RemainingBytes > 0)
        {
            int value = il.ReadByte();
            OpCode code = _opCodes[value == 0xFE ? 0xFE00 | il.ReadByte() : value];
            codes.Add(code);
            il.Offset += OperandLength(code.OperandType, il);
        }

        return codes;
    }

    private static int OperandLength(OperandType operand, BlobReader il)
    {
        return operand switch
        {
            OperandType.InlineNone => 0,
            OperandType.ShortInlineBrTarget or OperandType.ShortInlineI or OperandType.ShortInlineVar => 1,
            OperandType.InlineVar => 2,
            OperandType.InlineI8 or OperandType.InlineR => 8,
            OperandType.InlineSwitch => 4 + (4 * il.ReadInt32()),
            _ => 4,
        };
    }

    private static string Name(MetadataReader metadata, MethodDefinitionHandle handle)
    {
        MethodDefinition method = metadata.GetMethodDefinition(handle);
        return $"{metadata.GetString(metadata.GetTypeDefinition(method.GetDeclaringType()).Name)}.{metadata.GetString(method.Name)}";
    }
}
