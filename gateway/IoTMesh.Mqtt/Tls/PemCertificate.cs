using System.Net.Security;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace IoTMesh.Mqtt;

/// <summary>
/// A certificate with its private key in PEM files, for a server or a client. Looked at again when asked for, at most once a second: a
/// renewed certificate is taken without a restart, and one that cannot be read leaves the last good one in use. Thread-safe.
/// </summary>
public sealed class PemCertificate
{
    private const int LookMs = 1_000;

    private readonly string _certificateFile;
    private readonly string _keyFile;
    private readonly Lock _gate = new();
    private SslStreamCertificateContext _context;
    private (DateTime, DateTime) _written;
    private long _lookedAtMs = Environment.TickCount64;

    /// <summary>Throws <see cref="MqttException"/> with a sentence that names the file.</summary>
    /// <param name="certificateFile">The certificate first, then those between it and the root.</param>
    /// <param name="keyFile">Its private key, not encrypted; null where the certificate's file holds it.</param>
    public PemCertificate(string certificateFile, string? keyFile = null)
    {
        _certificateFile = certificateFile;
        _keyFile = keyFile ?? certificateFile;
        _written = Written();
        _context = Load();
    }

    /// <summary>Told in a sentence when a changed file was taken or could not be.</summary>
    public Action<bool, string>? Changed { get; set; }

    public X509Certificate2 Certificate => Context.TargetCertificate;

    /// <summary>The certificate with its chain, as TLS wants it.</summary>
    public SslStreamCertificateContext Context
    {
        get
        {
            string? problem = null;
            bool isNew = false;
            lock (_gate)
            {
                long nowMs = Environment.TickCount64;
                if (nowMs - _lookedAtMs >= LookMs)
                {
                    _lookedAtMs = nowMs;
                    (isNew, problem) = Look();
                }
            }

            if (isNew)
            {
                Changed?.Invoke(problem is null, problem ?? $"{_certificateFile} has changed and is in use, good until {Expiry()}");
            }

            return _context;
        }
    }

    private (bool IsNew, string? Problem) Look()
    {
        (DateTime, DateTime) written = Written();
        if (written == _written)
        {
            return (false, null);
        }

        _written = written;
        try
        {
            _context = Load();
            return (true, null);
        }
        catch (MqttException e)
        {
            return (true, e.Message + " The one before stays in use.");
        }
    }

    private (DateTime, DateTime) Written() => (File.GetLastWriteTimeUtc(_certificateFile), File.GetLastWriteTimeUtc(_keyFile));

    private string Expiry() => _context.TargetCertificate.NotAfter.ToUniversalTime().ToString("yyyy-MM-dd");

    private SslStreamCertificateContext Load()
    {
        if (!OperatingSystem.IsWindows() && File.Exists(_keyFile) && (File.GetUnixFileMode(_keyFile) & UnixFileMode.OtherRead) != 0)
        {
            throw new MqttException($"The private key {_keyFile} can be read by everybody; make it private with: chmod o-r {_keyFile}");
        }

        try
        {
            using X509Certificate2 pem = X509Certificate2.CreateFromPemFile(_certificateFile, _keyFile);
            var chain = new X509Certificate2Collection();
            chain.ImportFromPemFile(_certificateFile);

            // Windows' TLS takes no key that lives in memory only.
            X509Certificate2 certificate = X509CertificateLoader.LoadPkcs12(pem.Export(X509ContentType.Pkcs12), null);
            return SslStreamCertificateContext.Create(certificate, chain, offline: true);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or CryptographicException or ArgumentException)
        {
            string files = _keyFile == _certificateFile ? _certificateFile : $"{_certificateFile} with the key {_keyFile}";
            throw new MqttException($"The certificate {files} cannot be used: {e.Message.ReplaceLineEndings(" ")}", inner: e);
        }
    }
}
