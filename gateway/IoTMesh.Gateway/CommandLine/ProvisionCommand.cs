using System.CommandLine;
using IoTMesh.Gateway.Site;
using IoTMesh.Gateway.Storage;

namespace IoTMesh.Gateway.CommandLine;

/// <summary><c>iotmesh provision</c>: enrols devices and writes their settings files.</summary>
internal static class ProvisionCommand
{
    internal static Command Create()
    {
        var addresses = new Argument<string>("ADDRESS") { Description = "Mesh address, or several: 2-7, 2,5,9." };
        var name = new Option<string?>("--name") { Description = "Name for people, at most 32 bytes; one address only.", HelpName = "NAME" };
        var output = new Option<string?>("--out", "-o") { Description = "Settings file; node-ADDRESS.conf here where not given.", HelpName = "FILE" };
        var data = new Option<string?>("--data")
        {
            Description = "The site's data folder; $IOTMESH_DATA or the user's where not given.",
            HelpName = "DIR",
        };
        var command = new Command("provision", "Enrols devices in the site and writes their settings files.") { addresses, name, output, data };
        HelpWithExamples.Add(command, """
            The file holds the device's keys: copy it to the device over a cable and delete it. A running gateway of the site knows the
            device within two seconds.
            """, "iotmesh provision 2-7", "iotmesh provision 12 --name \"Roof north\" --out roof.conf");
        command.SetAction(parse => RunAsync(
            parse.GetRequiredValue(addresses), parse.GetValue(name), parse.GetValue(output), Enrolment.FolderOf(parse.GetValue(data))));
        return command;
    }

    private static async Task<int> RunAsync(string text, string? name, string? output, string data)
    {
        IReadOnlyList<ushort> addresses = Enrolment.ParseAddresses(text);
        if (addresses.Count > 1 && (name is not null || output is not null))
        {
            throw new CommandFailure("--name and --out are for one address", ExitCode.Usage);
        }

        if (name is not null && Registry.CheckName(name) is { } problem)
        {
            throw new CommandFailure($"--name: {problem}", ExitCode.Usage);
        }

        SiteFolder site = SiteFolder.Open(data);
        foreach ((Device device, bool isNew) in await Enrolment.EnrolAsync(site, addresses, name))
        {
            string file = output ?? $"node-{device.Address}.conf";
            SiteFolder.WriteOwnerFile(file, Enrolment.CreateSettings(site.Secret, device).Write());
            Console.WriteLine(
                $"{device.Id} (address {device.Address}, device {device.DeviceId}): {(isNew ? "enrolled" : "was enrolled")}, keys in {file}");
        }

        return ExitCode.Success;
    }
}
