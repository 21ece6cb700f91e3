using System.Collections.Frozen;
using System.IO.Compression;
using System.Reflection;
using System.Security.Cryptography;
using IoTMesh.Gateway.Http;
using Microsoft.Net.Http.Headers;

namespace IoTMesh.Gateway.Pages;

/// <summary>
/// The style sheet, scripts and icon of the pages. They lie inside the assembly, so that the pages are whole wherever the
/// program is started from and in every environment; each has a name that changes with its content and is cached for good.
/// </summary>
public sealed class PageAssets
{
    private const string ResourcePrefix = "wwwroot/";
    private const string PathPrefix = "_page/";

    private readonly FrozenDictionary<string, Asset> _byName;

    public PageAssets()
    {
        Assembly assembly = typeof(PageAssets).Assembly;
        _byName = assembly.GetManifestResourceNames()
            .Where(name => name.StartsWith(ResourcePrefix, StringComparison.Ordinal))
            .ToFrozenDictionary(name => name[ResourcePrefix.Length..], name => Load(assembly, name));
    }

    /// <summary>Address of a file of wwwroot, relative to the site's base.</summary>
    public string Url(string name) => $"{PathPrefix}{name}?v={_byName[name].Tag}";

    /// <summary>Serves the files below <c>/_page/</c>.</summary>
    public void Map(IEndpointRouteBuilder routes)
    {
        routes.MapGet($"/{PathPrefix}{{name}}", (string name, HttpContext context) => Answer(name, context)).ForAnybody().ExcludeFromDescription();
    }

    private IResult Answer(string name, HttpContext context)
    {
        if (!_byName.TryGetValue(name, out Asset? asset))
        {
            return Results.NotFound();
        }

        IHeaderDictionary headers = context.Response.Headers;
        headers.CacheControl = context.Request.Query["v"] == asset.Tag ? "public, max-age=31536000, immutable" : "no-cache";
        headers.Vary = "Accept-Encoding";
        headers.XContentTypeOptions = "nosniff";
        bool zipped = context.Request.Headers.AcceptEncoding.ToString().Contains("gzip", StringComparison.OrdinalIgnoreCase);
        if (zipped)
        {
            headers.ContentEncoding = "gzip";
        }

        var tag = new EntityTagHeaderValue($"\"{asset.Tag}{(zipped ? "z" : "")}\"");
        return Results.Bytes(zipped ? asset.Zipped : asset.Plain, asset.Type, entityTag: tag);
    }

    private static Asset Load(Assembly assembly, string resource)
    {
        using Stream stream = assembly.GetManifestResourceStream(resource)!;
        using var plain = new MemoryStream();
        stream.CopyTo(plain);
        byte[] bytes = plain.ToArray();
        using var zipped = new MemoryStream();
        using (var gzip = new GZipStream(zipped, CompressionLevel.Optimal))
        {
            gzip.Write(bytes);
        }

        string tag = Convert.ToHexStringLower(SHA256.HashData(bytes))[..12];
        return new Asset(bytes, zipped.ToArray(), TypeOf(resource), tag);
    }

    private static string TypeOf(string resource) => Path.GetExtension(resource) switch
    {
        ".css" => "text/css; charset=utf-8",
        ".js" => "text/javascript; charset=utf-8",
        ".svg" => "image/svg+xml",
        _ => "application/octet-stream",
    };

    private sealed record Asset(byte[] Plain, byte[] Zipped, string Type, string Tag);
}
