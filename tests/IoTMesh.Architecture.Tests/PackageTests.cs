using System.Text.RegularExpressions;
using System.Xml.Linq;
using Mono.Cecil;

namespace IoTMesh.Architecture.Tests;

/// <summary>Every version is pinned in one place: Directory.Packages.props for .NET, nf.props for the device.</summary>
public sealed class PackageTests
{
    private static readonly Regex _exactVersion = new(@"^\d+\.\d+\.\d+(\.\d+)?(-[0-9A-Za-z.]+)?$");

    private static readonly Dictionary<string, string> _central = XDocument.Parse(Repository.Read("Directory.Packages.props"))
        .Descendants("PackageVersion")
        .ToDictionary(item => item.Attribute("Include")!.Value, item => item.Attribute("Version")!.Value);

    private static readonly Dictionary<string, string> _nano = XDocument.Parse(Repository.Read("nf.props"))
        .Descendants()
        .Where(element => Regex.IsMatch(element.Name.LocalName, "^Nano.+Version$"))
        .ToDictionary(element => element.Name.LocalName, element => element.Value);

    [Fact]
    public void Central_versions_are_exact()
    {
        Report.None(_central.Concat(_nano)
            .Where(package => !_exactVersion.IsMatch(package.Value))
            .Select(package => $"{package.Key}: \"{package.Value}\" is not an exact version"));
    }

    [Fact]
    public void Projects_take_their_versions_from_the_central_file()
    {
        Report.None(
            from project in ProjectFile.All
            from package in project.Items("PackageReference")
            let name = ProjectFile.Include(package)
            where package.Attribute("Version") != null || package.Attribute("VersionOverride") != null || !_central.ContainsKey(name)
            select $"{project}: pin {name} in Directory.Packages.props, and only there");
    }

    [Fact]
    public void Every_restored_project_has_a_lock_file()
    {
        Report.None(ProjectFile.All
            .Where(project => !project.IsDevice && !project.IsDeclaration)
            .Where(project => !Repository.Files.Contains($"{project.Folder}/packages.lock.json"))
            .Select(project => $"{project}: no packages.lock.json; run dotnet restore and commit it"));
    }

    [Fact]
    public void Device_packages_agree_with_nf_props_and_the_declarations()
    {
        HashSet<string> declared = [.. ProjectFile.Declarations.Select(project => project.AssemblyName)];
        List<string> faults = [];
        foreach (ProjectFile project in ProjectFile.Device)
        {
            Dictionary<string, string> listed = XDocument.Parse(Repository.Read($"{project.Folder}/packages.config"))
                .Descendants("package")
                .ToDictionary(item => item.Attribute("id")!.Value, item => item.Attribute("version")!.Value);
            foreach (XElement reference in project.Items("NanoReference"))
            {
                string assembly = ProjectFile.Include(reference);
                string package = reference.Attribute("Package")?.Value ?? "";
                string property = Regex.Match(reference.Attribute("Version")?.Value ?? "", @"^\$\((\w+)\)$").Groups[1].Value;
                if (!declared.Contains(assembly))
                {
                    faults.Add($"{project}: {assembly} is not declared in firmware/device-apis");
                }

                if (!listed.Remove(package, out string? version) || !_nano.TryGetValue(property, out string? pinned) || version != pinned)
                {
                    faults.Add($"{project}: {package} must stand in packages.config with the version of nf.props ({property})");
                }
            }

            faults.AddRange(listed.Keys.Select(package => $"{project}: packages.config lists {package}, which no NanoReference uses"));
        }

        Report.None(faults);
    }

    [Fact]
    public void Device_projects_reference_what_they_and_their_references_use_and_nothing_else()
    {
        // Each library on the device costs about 1 KB of RAM and 9 KB of flash, used or not.
        List<string> faults = [];
        foreach (ProjectFile project in ProjectFile.Device)
        {
            HashSet<string> needed = UsedBy(project);
            HashSet<string> listed = [.. project.Items("NanoReference").Select(ProjectFile.Include)];
            faults.AddRange(needed.Except(listed).Select(name => $"{project}: {name} is missing"));
            faults.AddRange(listed.Except(needed).Select(name => $"{project}: {name} is not used"));
        }

        Report.None(faults);
    }

    /// <summary>Names of the declared assemblies that a device project's assembly, and what it references, use.</summary>
    private static HashSet<string> UsedBy(ProjectFile project)
    {
        Dictionary<string, ProjectFile> declarations = ProjectFile.Declarations.ToDictionary(item => item.AssemblyName);
        Dictionary<string, ProjectFile> devices = ProjectFile.Device.ToDictionary(item => item.AssemblyName);
        HashSet<string> used = ["mscorlib"];
        using ModuleDefinition module = ModuleDefinition.ReadModule(project.OutputPath);
        foreach (string name in module.AssemblyReferences.Select(reference => reference.Name))
        {
            if (devices.TryGetValue(name, out ProjectFile? device))
            {
                used.UnionWith(UsedBy(device));
            }
            else if (declarations.ContainsKey(name))
            {
                used.UnionWith(NeededBy(name, declarations));
            }
        }

        return used;
    }

    private static IEnumerable<string> NeededBy(string assembly, Dictionary<string, ProjectFile> declarations) =>
        declarations[assembly].Items("NanoReference").Select(ProjectFile.Include)
            .SelectMany(name => NeededBy(name, declarations))
            .Prepend(assembly);
}
