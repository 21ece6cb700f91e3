using System.Net;
using System.Net.Sockets;

namespace IoTMesh.Gateway.Http;

/// <summary>
/// Slows down whoever guesses. After three failures an address waits one second, then two, four and so on up to fifteen minutes; a
/// success or an hour of peace forgets them. At most 1,024 addresses (of IPv6 the first 64 bits) are kept: the one whose last
/// failure is longest ago makes room. Thread-safe.
/// </summary>
internal sealed class LoginThrottle(TimeProvider time)
{
    internal const int AddressesMax = 1024;

    private const int FreeFailures = 3;
    private const int PauseSecondsMax = 900;
    private const int ForgetSeconds = 3600;

    private readonly Dictionary<string, Entry> _byAddress = [];
    private readonly Lock _gate = new();

    private sealed class Entry
    {
        internal int Failures { get; set; }

        internal long LastMs { get; set; }

        internal long FreeAtMs { get; set; }
    }

    private long NowMs => (long)time.GetElapsedTime(0).TotalMilliseconds;

    /// <summary>Seconds until this address may try again; 0 for now.</summary>
    internal int WaitSeconds(string address)
    {
        lock (_gate)
        {
            long waitMs = _byAddress.TryGetValue(address, out Entry? entry) ? entry.FreeAtMs - NowMs : 0;
            return waitMs <= 0 ? 0 : (int)Math.Ceiling(waitMs / 1000.0);
        }
    }

    internal void Fail(string address)
    {
        lock (_gate)
        {
            long nowMs = NowMs;
            if (!_byAddress.TryGetValue(address, out Entry? entry) || nowMs - entry.LastMs > 1000L * ForgetSeconds)
            {
                if (entry is null && _byAddress.Count >= AddressesMax)
                {
                    _byAddress.Remove(_byAddress.MinBy(e => e.Value.LastMs).Key);
                }

                _byAddress[address] = entry = new Entry();
            }

            entry.Failures++;
            entry.LastMs = nowMs;
            int doublings = Math.Min(entry.Failures - FreeFailures - 1, 10);
            entry.FreeAtMs = doublings < 0 ? nowMs : nowMs + (1000L * Math.Min(1 << doublings, PauseSecondsMax));
        }
    }

    internal void Succeed(string address)
    {
        lock (_gate)
        {
            _byAddress.Remove(address);
        }
    }

    /// <summary>
    /// Where a request comes from. A reverse proxy on this machine is believed what it says of its client; nobody else is.
    /// </summary>
    internal static string AddressOf(HttpContext context)
    {
        IPAddress address = context.Connection.RemoteIpAddress ?? IPAddress.None;
        string forwarded = context.Request.Headers["X-Forwarded-For"].ToString();
        if (forwarded.Length > 0 && IPAddress.IsLoopback(address) && IPAddress.TryParse(forwarded.Split(',')[^1].Trim(), out IPAddress? client))
        {
            address = client;
        }

        address = address.IsIPv4MappedToIPv6 ? address.MapToIPv4() : address;
        if (address.AddressFamily != AddressFamily.InterNetworkV6 || IPAddress.IsLoopback(address))
        {
            return address.ToString();
        }

        byte[] network = address.GetAddressBytes();
        Array.Clear(network, 8, 8);
        return new IPAddress(network) + "/64";
    }
}
