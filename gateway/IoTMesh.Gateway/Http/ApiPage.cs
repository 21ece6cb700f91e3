using System.Security.Cryptography;
using System.Text;
using System.Text.RegularExpressions;

namespace IoTMesh.Gateway.Http;

/// <summary>The human page of the REST interface, at /api. It reads the OpenAPI document; nothing comes from elsewhere.</summary>
internal static class ApiPage
{
    internal static string Html { get; } = Load();

    /// <summary>Content-Security-Policy of this page: its own script and style by their hashes, no others.</summary>
    internal static string Policy { get; } = SecurityHeaders.Policy($"script-src {HashOf("script")}; style-src {HashOf("style")}");

    private static string HashOf(string element)
    {
        string text = Regex.Match(Html, $"<{element}>(.*?)</{element}>", RegexOptions.Singleline).Groups[1].Value;
        return $"'sha256-{Convert.ToBase64String(SHA256.HashData(Encoding.UTF8.GetBytes(text)))}'";
    }

    private static string Load()
    {
        using Stream stream = typeof(ApiPage).Assembly.GetManifestResourceStream("api.html")
            ?? throw new InvalidOperationException("api.html is not in the program");
        using var reader = new StreamReader(stream);
        return reader.ReadToEnd().ReplaceLineEndings("\n");
    }
}
