using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace IoTMesh.Mqtt.Tests;

/// <summary>A certificate authority of this test run, with its certificates as PEM files in a folder of its own.</summary>
public sealed class TestAuthority : IDisposable
{
    private const string ServerUse = "1.3.6.1.5.5.7.3.1";
    private const string ClientUse = "1.3.6.1.5.5.7.3.2";

    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("iotmesh-ca-");
    private readonly X509Certificate2 _root;
    private int _serial;

    public TestAuthority(string name = "IoTMesh test CA")
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest($"CN={name}", key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, true));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.KeyCertSign, true));
        request.CertificateExtensions.Add(new X509SubjectKeyIdentifierExtension(request.PublicKey, false));
        _root = request.CreateSelfSigned(DateTimeOffset.UtcNow.AddYears(-2), DateTimeOffset.UtcNow.AddYears(2));
        File = Write("ca.pem", _root.ExportCertificatePem());
    }

    /// <summary>PEM file of the root.</summary>
    public string File { get; }

    /// <param name="Certificate">PEM file.</param>
    /// <param name="Key">PEM file.</param>
    /// <param name="Pin">SHA-256 of the public key (SubjectPublicKeyInfo), base 64.</param>
    public sealed record Issued(string Certificate, string Key, string Pin);

    /// <summary>A server's certificate, good from yesterday on.</summary>
    /// <param name="host">DNS name or address.</param>
    /// <param name="days">Good until so many days from now; negative: expired.</param>
    public Issued Server(string host, int days = 30)
    {
        var names = new SubjectAlternativeNameBuilder();
        if (System.Net.IPAddress.TryParse(host, out System.Net.IPAddress? address))
        {
            names.AddIpAddress(address);
        }
        else
        {
            names.AddDnsName(host);
        }

        return Issue(host, ServerUse, days, names.Build());
    }

    /// <summary>A client's certificate with that common name.</summary>
    public Issued Client(string name, int days = 30) => Issue(name, ClientUse, days);

    public void Dispose()
    {
        _root.Dispose();
        _folder.Delete(recursive: true);
    }

    private Issued Issue(string name, string use, int days, params X509Extension[] more)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest($"CN={name}", key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(false, false, 0, true));
        request.CertificateExtensions.Add(new X509EnhancedKeyUsageExtension([new Oid(use)], false));
        Array.ForEach(more, request.CertificateExtensions.Add);
        DateTimeOffset until = DateTimeOffset.UtcNow.AddDays(days);
        byte[] serial = [1, .. RandomNumberGenerator.GetBytes(8)];
        using X509Certificate2 certificate = request.Create(_root, until.AddDays(-60), until, serial);
        int number = ++_serial;
        return new Issued(
            Write($"{number}.pem", certificate.ExportCertificatePem()),
            Write($"{number}.key", key.ExportPkcs8PrivateKeyPem()),
            Convert.ToBase64String(SHA256.HashData(key.ExportSubjectPublicKeyInfo())));
    }

    private string Write(string name, string pem)
    {
        string file = Path.Combine(_folder.FullName, name);
        System.IO.File.WriteAllText(file, pem + "\n");
        if (!OperatingSystem.IsWindows())
        {
            System.IO.File.SetUnixFileMode(file, UnixFileMode.UserRead | UnixFileMode.UserWrite);
        }

        return file;
    }
}
