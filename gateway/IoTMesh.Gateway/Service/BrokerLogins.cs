using System.Collections.Concurrent;
using System.Security.Cryptography;
using System.Text;
using IoTMesh.Gateway.Settings;
using IoTMesh.Mqtt;

namespace IoTMesh.Gateway.Service;

/// <summary>Who may connect to the own broker: the users of the settings, and the gateway itself with a password of this run.</summary>
internal sealed class BrokerLogins(IReadOnlyList<UserSettings> users)
{
    internal const string GatewayUser = "iotmesh-gateway";

    private const int RememberedMax = 256;

    private readonly ConcurrentDictionary<string, bool> _remembered = new();
    private readonly byte[] _memoryKey = RandomNumberGenerator.GetBytes(32);

    internal string GatewayPassword { get; } = Convert.ToHexString(RandomNumberGenerator.GetBytes(24));

    internal bool Check(MqttLogin login)
    {
        if (login.UserName == GatewayUser)
        {
            return CryptographicOperations.FixedTimeEquals(login.Password.Span, Encoding.ASCII.GetBytes(GatewayPassword));
        }

        if (users.FirstOrDefault(u => u.User == login.UserName) is not { } user)
        {
            return false;
        }

        // PBKDF2 is slow on purpose: what was right once is remembered by its keyed hash.
        byte[] input = [.. Encoding.UTF8.GetBytes(user.User), 0, .. login.Password.Span];
        string memory = Convert.ToBase64String(HMACSHA256.HashData(_memoryKey, input));
        if (_remembered.ContainsKey(memory))
        {
            return true;
        }

        if (!Password.Verify(Encoding.UTF8.GetString(login.Password.Span), user.PasswordHash))
        {
            return false;
        }

        if (_remembered.Count < RememberedMax)
        {
            _remembered[memory] = true;
        }

        return true;
    }
}
