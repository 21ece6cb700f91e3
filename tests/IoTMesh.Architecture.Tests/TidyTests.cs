using System.Text.RegularExpressions;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.CSharp.Syntax;
using Microsoft.CodeAnalysis.Text;

namespace IoTMesh.Architecture.Tests;

/// <summary>Limits of the house: short lines, functions and files, and no file that no project builds.</summary>
public sealed class TidyTests
{
    private const int LineLengthMax = 150;
    private const int FunctionLinesMax = 70;
    private const int FileLinesMax = 400;

    private static readonly string[] _sourceExtensions = [".cs", ".razor"];

    private static readonly string[] _textExtensions =
    [
        ".cs", ".razor", ".css", ".js", ".md", ".json", ".txt", ".props", ".targets", ".csproj",
        ".nfproj", ".config", ".xml", ".yml", ".yaml", ".lua", ".sh",
    ];

    /// <summary>
    /// Text that belongs to somebody's machine and not to the project (a topic such as v1/home/node is none). In two halves, so that
    /// this file passes.
    /// </summary>
    private static readonly Regex _foreign = new(
        @"(?<!\w)(/wo" + @"rk/|/ro" + @"ot/|/ho" + @"me/\w)|C:[\\/]+Us" + @"ers\b|\bcopi" + @"lot\b|\bchat" + @"gpt\b|\bclau"
        + @"de\b|nuget\.o" + @"rg|npm" + @"js\.",
        RegexOptions.IgnoreCase);

    [Fact]
    public void Lines_are_short()
    {
        Report.None(
            from file in Repository.WithExtension(_sourceExtensions)
            where !IsDeclaration(file)
            from line in Repository.Read(file).Split('\n').Select((text, index) => (text.Length, Number: index + 1))
            where line.Length > LineLengthMax
            select $"{file}:{line.Number}: {line.Length} columns, at most {LineLengthMax}");
    }

    [Fact]
    public void Files_are_short()
    {
        Report.None(
            from file in Repository.WithExtension(_sourceExtensions)
            where !IsDeclaration(file)
            let lines = Repository.Read(file).Count(c => c == '\n')
            where lines > FileLinesMax
            select $"{file}: {lines} lines, at most {FileLinesMax}");
    }

    [Fact]
    public void Functions_are_short()
    {
        Report.None(Repository.WithExtension(".cs").SelectMany(file => LongFunctions(file, Repository.Read(file))));
    }

    [Theory]
    [InlineData("class A { void Long() {\n", "} }", "A.cs:1: Long has 72 lines, at most 70")]
    [InlineData("class A { int Long { get {\n", "return 1; } } }", "A.cs:1: get has 72 lines, at most 70")]
    [InlineData("class A { A() { void Long() {\n", "} } }", "A.cs:1: A has 72 lines, at most 70")]
    public void Finds_a_long_function(string head, string tail, string expected)
    {
        Assert.Contains(expected, LongFunctions("A.cs", head + new string('\n', FunctionLinesMax) + tail));
        Assert.Empty(LongFunctions("A.cs", head + new string('\n', FunctionLinesMax - 2) + tail));
    }

    [Fact]
    public void Text_ends_with_a_newline_and_has_no_tabs_or_stray_blanks()
    {
        List<string> faults = [];
        foreach (string file in TextFiles().Where(file => !file.EndsWith("packages.lock.json", StringComparison.Ordinal)))
        {
            string text = Repository.Read(file);
            if (text.Length > 0 && !text.EndsWith('\n'))
            {
                faults.Add($"{file}: no newline at the end");
            }

            if (text.Contains('\t'))
            {
                faults.Add($"{file}: tab; indent with blanks");
            }

            if (!file.EndsWith(".md", StringComparison.Ordinal) && Regex.IsMatch(text, @"[ \t]\r?$", RegexOptions.Multiline))
            {
                faults.Add($"{file}: blank at the end of a line");
            }
        }

        Report.None(faults);
    }

    [Fact]
    public void No_file_speaks_of_one_machine()
    {
        Report.None(
            from file in TextFiles()
            from line in Repository.Read(file).Split('\n').Select((text, index) => (Found: _foreign.Match(text), Number: index + 1))
            where line.Found.Success
            select $"{file}:{line.Number}: \"{line.Found.Value}\"");
    }

    [Fact]
    public void Every_source_belongs_to_a_project()
    {
        Report.None(Repository.WithExtension(".cs")
            .Where(file => !ProjectFile.All.Any(project => file.StartsWith(project.Folder + "/", StringComparison.Ordinal)))
            .Select(file => $"{file}: no project file in its folder or above"));
    }

    [Fact]
    public void Projects_glob_their_sources()
    {
        Report.None(
            from project in ProjectFile.All
            from compile in project.Items("Compile")
            where !ProjectFile.Include(compile).Contains('*', StringComparison.Ordinal)
            select $"{project}: lists {ProjectFile.Include(compile)}; sources are globbed");
    }

    private static bool IsDeclaration(string file) =>
        ProjectFile.Declarations.Any(project => file.StartsWith(project.Folder + "/", StringComparison.Ordinal));

    private static IEnumerable<string> TextFiles() => Repository.WithExtension(_textExtensions)
        .Concat(Repository.Files.Where(file => file is ".ci/run" or ".editorconfig" or ".gitignore" or ".gitattributes"));

    private static IEnumerable<string> LongFunctions(string file, string text)
    {
        SyntaxNode root = CSharpSyntaxTree.ParseText(text).GetRoot();
        foreach (SyntaxNode node in root.DescendantNodes())
        {
            string? name = node switch
            {
                MethodDeclarationSyntax method => method.Identifier.Text,
                ConstructorDeclarationSyntax constructor => constructor.Identifier.Text,
                OperatorDeclarationSyntax => "operator",
                AccessorDeclarationSyntax accessor => accessor.Keyword.Text,
                LocalFunctionStatementSyntax local => local.Identifier.Text,
                _ => null,
            };
            FileLinePositionSpan span = root.SyntaxTree.GetLineSpan(TextSpan.FromBounds(node.SpanStart, node.Span.End));
            int lines = span.EndLinePosition.Line - span.StartLinePosition.Line + 1;
            if (name != null && lines > FunctionLinesMax)
            {
                yield return $"{file}:{span.StartLinePosition.Line + 1}: {name} has {lines} lines, at most {FunctionLinesMax}";
            }
        }
    }
}
