using System.Xml;
using System.Xml.Linq;
using IoTMesh.Gateway.Site;
using Microsoft.AspNetCore.DataProtection.Repositories;

namespace IoTMesh.Gateway.Http;

/// <summary>The keys that seal cookies, in <c>session-keys</c> of the data folder (0700, files 0600), so that logins survive a restart.</summary>
/// <param name="folder">The data folder; null keeps the keys in memory.</param>
internal sealed class SessionKeys(string? folder) : IXmlRepository
{
    private readonly List<XElement> _inMemory = [];
    private readonly string? _folder = folder is null ? null : Path.Combine(folder, "session-keys");

    public IReadOnlyCollection<XElement> GetAllElements()
    {
        if (_folder is null)
        {
            lock (_inMemory)
            {
                return [.. _inMemory];
            }
        }

        return Directory.Exists(_folder) ? [.. Directory.EnumerateFiles(_folder, "*.xml").Order().Select(Read).OfType<XElement>()] : [];
    }

    public void StoreElement(XElement element, string friendlyName)
    {
        if (_folder is null)
        {
            lock (_inMemory)
            {
                _inMemory.Add(element);
                return;
            }
        }

        if (OperatingSystem.IsWindows())
        {
            Directory.CreateDirectory(_folder);
        }
        else
        {
            Directory.CreateDirectory(_folder, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        }

        string name = new([.. friendlyName.Where(c => char.IsAsciiLetterOrDigit(c) || c == '-')]);
        SecretFile.Write(Path.Combine(_folder, name + ".xml"), element.ToString());
    }

    // A damaged key ends the sessions that it sealed, and no more.
    private static XElement? Read(string file)
    {
        try
        {
            return XElement.Load(file);
        }
        catch (XmlException)
        {
            return null;
        }
    }
}
