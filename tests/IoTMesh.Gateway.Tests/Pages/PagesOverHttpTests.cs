using System.Net;
using System.Net.Http.Headers;
using System.Text.RegularExpressions;

namespace IoTMesh.Gateway.Tests.Pages;

/// <summary>What the pages answer without a browser.</summary>
public sealed partial class PagesOverHttpTests
{
    [Theory]
    [InlineData("Production")]
    [InlineData("Development")]
    public async Task The_first_answer_shows_the_mesh_and_names_only_files_that_are_there(string environment)
    {
        await using PageHost host = await PageHost.StartAsync(new ScriptedMesh(), environment);
        using var client = new HttpClient { BaseAddress = host.Address };
        string html = await client.GetStringAsync("");

        Assert.Equal(13, Regex.Count(html, "<a[^>]* data-node="));
        Assert.DoesNotMatch("(?:src|href)=\"(?:https?:)?//", html);
        string[] files = [.. FileNames().Matches(html).Select(match => match.Groups[1].Value)];
        Assert.Equal(4, files.Length);
        foreach (string file in files)
        {
            using HttpResponseMessage answer = await client.GetAsync(new Uri(file, UriKind.Relative));
            Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
            Assert.True(answer.Headers.CacheControl!.MaxAge > TimeSpan.FromDays(300), file);
            Assert.NotEmpty(await answer.Content.ReadAsByteArrayAsync());
        }
    }

    [Fact]
    public async Task Files_are_compressed_and_unknown_ones_are_not_found()
    {
        await using PageHost host = await PageHost.StartAsync(new ScriptedMesh());
        using var client = new HttpClient { BaseAddress = host.Address };
        client.DefaultRequestHeaders.AcceptEncoding.Add(new StringWithQualityHeaderValue("gzip"));
        using HttpResponseMessage script = await client.GetAsync(new Uri("_page/blazor.web.js", UriKind.Relative));
        Assert.Equal("gzip", Assert.Single(script.Content.Headers.ContentEncoding));
        Assert.Equal("text/javascript", script.Content.Headers.ContentType!.MediaType);
        Assert.InRange((await script.Content.ReadAsByteArrayAsync()).Length, 10_000, 80_000);

        foreach (string missing in new[] { "_page/none.css", "_page/..%2fappsettings.json", "nothing-here" })
        {
            using HttpResponseMessage answer = await client.GetAsync(new Uri(missing, UriKind.Relative));
            Assert.Equal(HttpStatusCode.NotFound, answer.StatusCode);
        }
    }

    [Fact]
    public async Task An_unknown_node_gets_a_page_that_says_so()
    {
        await using PageHost host = await PageHost.StartAsync(new ScriptedMesh());
        using var client = new HttpClient { BaseAddress = host.Address };
        string html = await client.GetStringAsync("node/%3Cscript%3E");
        Assert.Contains("No node of that name is known here", html, StringComparison.Ordinal);
        Assert.DoesNotContain("<script>", html, StringComparison.Ordinal);
    }

    [GeneratedRegex("(?:src|href)=\"(_page/[^\"]+)\"")]
    private static partial Regex FileNames();
}
