using System.Globalization;
using System.Net;
using System.Text;
using IoTMesh.Gateway.Site;
using QRCoder;

namespace IoTMesh.Gateway.CommandLine;

/// <summary>The label of a device as a QR code (ISO/IEC 18004, error correction M): PNG, SVG with the name below, or for a terminal.</summary>
internal static class LabelPicture
{
    private const int PixelsPerModule = 10;
    private const int CaptionHeight = 7;

    /// <summary>Writes a picture that only its owner may read; <c>.png</c> or <c>.svg</c> says which.</summary>
    internal static void Write(string file, DeviceLabel label, string name)
    {
        using QRCodeData code = Encode(label);
        if (IsSvg(file))
        {
            SecretFile.Write(file, CreateSvg(code, $"{name}, address {label.Address}"));
            return;
        }

        using var png = new PngByteQRCode(code);
        SecretFile.Write(file, png.GetGraphic(PixelsPerModule));
    }

    /// <summary>Lines of half blocks, dark on light, for a terminal.</summary>
    internal static string Draw(DeviceLabel label)
    {
        using QRCodeData code = Encode(label);
        var text = new StringBuilder();
        int size = code.ModuleMatrix.Count;
        for (int y = 0; y < size; y += 2)
        {
            for (int x = 0; x < size; x++)
            {
                bool top = code.ModuleMatrix[y][x];
                bool bottom = y + 1 < size && code.ModuleMatrix[y + 1][x];
                text.Append(top ? bottom ? ' ' : '▄' : bottom ? '▀' : '█');
            }

            text.Append('\n');
        }

        return text.ToString();
    }

    /// <summary>Why that file name cannot be used, or null.</summary>
    internal static string? Check(string file)
    {
        return IsSvg(file) || file.EndsWith(".png", StringComparison.OrdinalIgnoreCase) ? null : $"must end in .png or .svg, is {file}";
    }

    private static bool IsSvg(string file)
    {
        return file.EndsWith(".svg", StringComparison.OrdinalIgnoreCase);
    }

    private static QRCodeData Encode(DeviceLabel label)
    {
        return QRCodeGenerator.GenerateQrCode(label.Write(), QRCodeGenerator.ECCLevel.M);
    }

    // The matrix has the quiet zone of 4 modules around it.
    private static string CreateSvg(QRCodeData code, string caption)
    {
        int size = code.ModuleMatrix.Count;
        var path = new StringBuilder();
        for (int y = 0; y < size; y++)
        {
            for (int x = 0; x < size; x++)
            {
                if (code.ModuleMatrix[y][x])
                {
                    path.Append(CultureInfo.InvariantCulture, $"M{x} {y}h1v1h-1z");
                }
            }
        }

        int height = size + CaptionHeight;
        return string.Create(CultureInfo.InvariantCulture, $"""
            <svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {size} {height}" width="{size * 4}" height="{height * 4}">
            <rect width="{size}" height="{height}" fill="#fff"/>
            <path d="{path}" fill="#000" shape-rendering="crispEdges"/>
            <text x="{size / 2.0}" y="{size + 2}" font-family="sans-serif" font-size="3" text-anchor="middle">{WebUtility.HtmlEncode(caption)}</text>
            </svg>

            """);
    }
}
