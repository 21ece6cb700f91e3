using System.Text;

namespace IoTMesh.Mqtt.Codec;

/// <summary>Topic names and filters: OASIS MQTT 5.0 section 4.7, shared subscriptions section 4.8.2.</summary>
internal static class Topics
{
    private const string SharePrefix = "$share/";

    public static bool IsValidName(string topic) =>
        topic.Length > 0 && topic.AsSpan().IndexOfAny('+', '#', '\0') < 0 && Encoding.UTF8.GetByteCount(topic) <= WireWriter.TextBytesMax;

    /// <summary>Wildcards occupy a whole level, and # only the last; a share name has no wildcard.</summary>
    public static bool IsValidFilter(string filter)
    {
        if (IsShared(filter))
        {
            SplitShared(filter, out string share, out string inner);
            return share.Length > 0 && share.AsSpan().IndexOfAny('+', '#') < 0 && inner.Length > 0 && IsValidFilter(inner);
        }

        if (filter.Length == 0 || filter.Contains('\0') || Encoding.UTF8.GetByteCount(filter) > WireWriter.TextBytesMax)
        {
            return false;
        }

        for (int i = 0; i < filter.Length; i++)
        {
            if (filter[i] is not ('+' or '#'))
            {
                continue;
            }

            bool starts = i == 0 || filter[i - 1] == '/';
            bool ends = i == filter.Length - 1 || (filter[i] == '+' && filter[i + 1] == '/');
            if (!starts || !ends)
            {
                return false;
            }
        }

        return true;
    }

    public static bool HasWildcard(string filter) => filter.AsSpan().IndexOfAny('+', '#') >= 0;

    public static bool IsShared(string filter) => filter.StartsWith(SharePrefix, StringComparison.Ordinal);

    /// <summary>"$share/name/filter" into its parts; the filter is empty where there is none.</summary>
    public static void SplitShared(string filter, out string share, out string inner)
    {
        string rest = filter[SharePrefix.Length..];
        int slash = rest.IndexOf('/');
        share = slash < 0 ? rest : rest[..slash];
        inner = slash < 0 ? "" : rest[(slash + 1)..];
    }

    /// <summary>Whether a filter (not shared) selects a topic; a wildcard at its start does not match topics with $ (section 4.7.2).</summary>
    public static bool Matches(string filter, string topic)
    {
        if (topic[0] == '$' && filter[0] is '+' or '#')
        {
            return false;
        }

        ReadOnlySpan<char> f = filter;
        ReadOnlySpan<char> t = topic;
        while (true)
        {
            ReadOnlySpan<char> level = NextLevel(ref f, out bool moreFilter);
            if (level is "#")
            {
                return true;
            }

            ReadOnlySpan<char> name = NextLevel(ref t, out bool moreTopic);
            if (level is not "+" && !level.SequenceEqual(name))
            {
                return false;
            }

            if (!moreTopic || !moreFilter)
            {
                return moreTopic == moreFilter || (moreFilter && f is "#");
            }
        }
    }

    /// <summary>Cuts the first level off; <paramref name="more"/> tells whether a separator followed it.</summary>
    public static ReadOnlySpan<char> NextLevel(ref ReadOnlySpan<char> rest, out bool more)
    {
        int slash = rest.IndexOf('/');
        more = slash >= 0;
        ReadOnlySpan<char> level = more ? rest[..slash] : rest;
        rest = more ? rest[(slash + 1)..] : default;
        return level;
    }
}
