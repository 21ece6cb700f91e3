namespace IoTMesh.Gateway.Http;

/// <summary>The human page of the REST interface, at /api. It reads the OpenAPI document; nothing comes from elsewhere.</summary>
internal static class ApiPage
{
    internal static string Html { get; } = Load();

    private static string Load()
    {
        using Stream stream = typeof(ApiPage).Assembly.GetManifestResourceStream("api.html")
            ?? throw new InvalidOperationException("api.html is not in the program");
        using var reader = new StreamReader(stream);
        return reader.ReadToEnd();
    }
}
