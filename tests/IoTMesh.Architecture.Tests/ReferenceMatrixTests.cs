namespace IoTMesh.Architecture.Tests;

/// <summary>Who may know whom: docs/architecture.md, "Who may know whom".</summary>
public sealed class ReferenceMatrixTests
{
    private static readonly Dictionary<string, string[]> _allowed = new()
    {
        ["shared/IoTMesh.Core/IoTMesh.Core.csproj"] = [],
        ["shared/IoTMesh.Core/IoTMesh.Core.nfproj"] = [],
        ["shared/IoTMesh.Driver/IoTMesh.Driver.csproj"] = ["IoTMesh.Core"],
        ["shared/IoTMesh.Driver/IoTMesh.Driver.nfproj"] = ["IoTMesh.Core"],
        ["shared/IoTMesh.Simulation/IoTMesh.Simulation.csproj"] = ["IoTMesh.Core", "IoTMesh.Driver"],
        ["firmware/IoTMesh.Node/IoTMesh.Node.nfproj"] = ["IoTMesh.Core", "IoTMesh.Driver"],
        ["firmware/IoTMesh.Node.Host/IoTMesh.Node.Host.csproj"] = ["IoTMesh.Core", "IoTMesh.Driver"],
        ["gateway/IoTMesh.Mqtt/IoTMesh.Mqtt.csproj"] = [],
        ["gateway/IoTMesh.Gateway/IoTMesh.Gateway.csproj"] =
            ["IoTMesh.Core", "IoTMesh.Driver", "IoTMesh.Mqtt", "IoTMesh.Node.Host", "IoTMesh.Simulation"],
    };

    /// <summary>Built for the device as well, or meant to run anywhere: nothing but the platform.</summary>
    private static readonly string[] _withoutPackages = ["IoTMesh.Core", "IoTMesh.Driver", "IoTMesh.Node.Host", "IoTMesh.Simulation", "IoTMesh.Mqtt"];

    [Fact]
    public void Projects_reference_only_what_the_matrix_allows()
    {
        List<string> faults = [];
        foreach (ProjectFile project in ProjectFile.All.Where(project => !project.IsTest && !project.IsDeclaration))
        {
            if (!_allowed.TryGetValue(project.Path, out string[]? allowed))
            {
                faults.Add($"{project}: not in the matrix; add it here and to docs/architecture.md");
                continue;
            }

            faults.AddRange(project.ProjectReferences
                .Where(reference => !allowed.Contains(Path.GetFileNameWithoutExtension(reference)))
                .Select(reference => $"{project}: may not reference {reference}"));
        }

        Report.None(faults);
    }

    [Fact]
    public void References_exist_and_stay_on_their_side()
    {
        List<string> faults = [];
        foreach (ProjectFile project in ProjectFile.All)
        {
            foreach (string reference in project.ProjectReferences)
            {
                ProjectFile? target = ProjectFile.All.SingleOrDefault(other => other.Path == reference);
                if (target == null)
                {
                    faults.Add($"{project}: {reference} does not exist");
                }
                else if (target.IsDevice != project.IsDevice || target.IsDeclaration != project.IsDeclaration)
                {
                    faults.Add($"{project}: {reference} is built for another platform");
                }
            }
        }

        Report.None(faults);
    }

    [Fact]
    public void Only_tests_reference_executables_and_nobody_references_tests()
    {
        Report.None(
            from project in ProjectFile.All
            from reference in project.ProjectReferences
            let target = ProjectFile.All.SingleOrDefault(other => other.Path == reference)
            where target != null && ((target.IsExecutable && !project.IsTest) || target.IsTest)
            select $"{project}: references {reference}");
    }

    [Fact]
    public void Every_project_is_in_the_solution_with_the_type_its_kind_needs()
    {
        string solution = Repository.Read("IoTMesh.sln").Replace('\\', '/');
        Report.None(
            from project in ProjectFile.All
            let type = project.IsDevice ? "{11A8DD76-328B-46DF-9F39-F559912D0360}" : "{FAE04EC0-301F-11D3-BF4B-00C04F79EFBC}"
            where !solution.Contains($"Project(\"{type}\") = \"{project.Name}\", \"{project.Path}\"", StringComparison.Ordinal)
            select $"{project}: not in IoTMesh.sln as type {type}");
    }

    [Fact]
    public void Device_side_and_libraries_bring_no_packages()
    {
        Report.None(
            from project in ProjectFile.All
            where _withoutPackages.Contains(project.Name)
            from package in project.Items("PackageReference")
            where package.Attribute("PrivateAssets")?.Value != "all"
            select $"{project}: package {ProjectFile.Include(package)} would reach its users");
    }

    [Fact]
    public void Sources_are_linked_only_from_the_node_application_and_between_tests()
    {
        Report.None(
            from project in ProjectFile.All
            from compile in project.Items("Compile")
            let include = ProjectFile.Include(compile)
            where include.Contains("..", StringComparison.Ordinal)
            where !(project.Name == "IoTMesh.Node.Host" && include.StartsWith("../IoTMesh.Node/", StringComparison.Ordinal))
            where !(project.IsTest
                && Repository.Relative(Path.Combine(Repository.Root, project.Folder, include)).StartsWith("tests/", StringComparison.Ordinal))
            select $"{project}: compiles {include}");
    }

    [Fact]
    public void Internals_are_visible_to_tests_only()
    {
        Report.None(
            from project in ProjectFile.All
            from friend in project.Items("InternalsVisibleTo")
            let name = ProjectFile.Include(friend)
            where !name.EndsWith("Tests", StringComparison.Ordinal) && !name.EndsWith("Benchmarks", StringComparison.Ordinal)
            select $"{project}: shows its internals to {name}");
    }
}
