using System.CommandLine;
using IoTMesh.Gateway.Site;
using IoTMesh.Gateway.Storage;

namespace IoTMesh.Gateway.CommandLine;

/// <summary><c>iotmesh enroll</c>: makes a device's secret, its settings file and its label.</summary>
internal static class EnrollCommand
{
    private const int WindowHoursMax = 24 * 365;

    private sealed record Options(
        string? Addresses, string? Name, string? Output, string? Label, bool IsShown, string? FromLabel, int WindowHours, string? Owner);

    internal static Command Create()
    {
        var addresses = new Argument<string?>("ADDRESS")
        {
            Description = "Mesh address, or several: 2-7, 2,5,9.",
            Arity = ArgumentArity.ZeroOrOne,
        };
        var name = new Option<string?>("--name") { Description = "Name for people, at most 32 bytes; one address only.", HelpName = "NAME" };
        var output = new Option<string?>("--out", "-o") { Description = "Settings file; node-ADDRESS.conf here where not given.", HelpName = "FILE" };
        var label = new Option<string?>("--label") { Description = "Writes the device's QR label too.", HelpName = "FILE.png|FILE.svg" };
        var show = new Option<bool>("--show") { Description = "Shows the QR label in the terminal." };
        var from = new Option<string?>("--from-label")
        {
            Description = "Takes the device of a label (its text, or a file with it) into this registry of the same site.",
            HelpName = "TEXT|FILE",
        };
        var window = new Option<int>("--window")
        {
            Description = "Hours in which the device may join for the first time.",
            HelpName = "HOURS",
            DefaultValueFactory = _ => 24,
        };
        var owner = new Option<string?>("--owner") { Description = "The owner's secret, where it is kept away from the gateway.", HelpName = "FILE" };
        Option<string?> data = SiteOptions.Data();
        Option<string?> key = SiteOptions.Key();
        var command = new Command("enroll", "Enrolls devices: makes their secrets, settings files and labels.")
        {
            addresses, name, output, label, show, from, window, owner, data, key,
        };
        command.Aliases.Add("provision");
        HelpWithExamples.Add(command, """
            The settings file and the label hold the device's secret: copy the file to the device over a cable and delete it, keep the
            label like a key. An enrolled device asks to join by itself; a running gateway knows it within two seconds.
            """, "iotmesh enroll 2-7", "iotmesh enroll 12 --name \"Roof north\" --out roof.conf --label roof.png", "iotmesh enroll 12 --show");
        command.SetAction(parse => RunAsync(
            new Options(
                parse.GetValue(addresses), parse.GetValue(name), parse.GetValue(output), parse.GetValue(label), parse.GetValue(show),
                parse.GetValue(from), parse.GetValue(window), parse.GetValue(owner)),
            parse.GetValue(data), parse.GetValue(key)));
        return command;
    }

    private static async Task<int> RunAsync(Options o, string? data, string? key)
    {
        if ((o.Addresses is null) == (o.FromLabel is null))
        {
            throw new CommandFailure("give an ADDRESS, or --from-label", ExitCode.Usage);
        }

        DeviceLabel? given = o.FromLabel is null ? null : ReadLabel(o.FromLabel);
        IReadOnlyList<ushort> addresses = given is null ? Enrolment.ParseAddresses(o.Addresses!) : [given.Address];
        Check(o, addresses.Count);
        SiteFolder site = SiteFolder.Open(Enrolment.FolderOf(data), create: given is null, key, o.Owner);
        TimeSpan window = TimeSpan.FromHours(o.WindowHours);
        IReadOnlyList<Enrolled> devices = given is null
            ? await Enrolment.EnrollAsync(site, addresses, o.Name, window)
            : [await Enrolment.TakeAsync(site, given, o.Name, window)];
        foreach (Enrolled enrolled in devices)
        {
            Tell(o, site, enrolled, isTaken: given is not null);
        }

        return ExitCode.Success;
    }

    private static void Check(Options o, int count)
    {
        if (count > 1 && (o.Name is not null || o.Output is not null || o.Label is not null))
        {
            throw new CommandFailure("--name, --out and --label are for one address", ExitCode.Usage);
        }

        if (o.Name is not null && Registry.CheckName(o.Name) is { } problem)
        {
            throw new CommandFailure($"--name: {problem}", ExitCode.Usage);
        }

        if (o.Label is not null && LabelPicture.Check(o.Label) is { } unknown)
        {
            throw new CommandFailure($"--label: {unknown}", ExitCode.Usage);
        }

        if (o.WindowHours is < 0 or > WindowHoursMax)
        {
            throw new CommandFailure($"--window: 0 to {WindowHoursMax} hours, is {o.WindowHours}", ExitCode.Usage);
        }
    }

    private static void Tell(Options o, SiteFolder site, Enrolled enrolled, bool isTaken)
    {
        Device device = enrolled.Device;
        string what = enrolled.IsNew ? "enrolled" : "was enrolled";
        string where = "";
        if (!isTaken || o.Output is not null)
        {
            string file = o.Output ?? $"node-{device.Address}.conf";
            SecretFile.Write(file, Enrolment.CreateSettings(site, enrolled).Write());
            where = $", keys in {file}";
        }

        var label = new DeviceLabel(DeviceLabel.SiteIdOf(site.Secret), device.Address, device.DeviceId, enrolled.Key);
        if (o.Label is not null)
        {
            LabelPicture.Write(o.Label, label, device.Name);
            where += $", label in {o.Label}";
        }

        Console.WriteLine($"{device.Id} (address {device.Address}, device {device.DeviceId}): {what}{where}");
        if (o.IsShown)
        {
            Console.Write(LabelPicture.Draw(label));
        }
    }

    private static DeviceLabel ReadLabel(string text)
    {
        if (DeviceLabel.Read(text) is { } label)
        {
            return label;
        }

        // What was given may be half a label: an error must not repeat it.
        if (text.StartsWith("iotmesh:", StringComparison.OrdinalIgnoreCase) || !File.Exists(text))
        {
            throw new CommandFailure("--from-label: is no label and no file: a label reads iotmesh:1?s=...&a=...&d=...&k=...", ExitCode.Usage);
        }

        return DeviceLabel.Read(File.ReadAllText(text)) ?? throw new CommandFailure($"{text}: holds no label of a device", ExitCode.Usage);
    }
}
