using System.Net;
using System.Reflection;
using System.Text;
using IoTMesh.Mqtt.Broker;
using IoTMesh.Mqtt.Codec;
using IoTMesh.Mqtt.Session;
using IoTMesh.Mqtt.Tls;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;

namespace IoTMesh.Mqtt;

/// <summary>Counts since the start; clients, sessions, subscriptions and retained messages as of now.</summary>
/// <param name="Clients">Connected now.</param>
/// <param name="Sessions">Connected or kept.</param>
/// <param name="Subscriptions">Of all sessions.</param>
/// <param name="Retained">Retained messages kept.</param>
/// <param name="MessagesIn">PUBLISH packets taken from clients.</param>
/// <param name="MessagesOut">PUBLISH packets sent to clients, repeats not counted.</param>
/// <param name="DroppedSlow">QoS 0 messages dropped because a subscriber did not read.</param>
/// <param name="DroppedQueueFull">QoS 1 and 2 messages dropped because a session's queue was full.</param>
/// <param name="DroppedOther">Expired, or larger than the subscriber takes.</param>
/// <param name="Malformed">Connections closed for malformed packets or protocol errors.</param>
/// <param name="Refused">CONNECT packets refused.</param>
public sealed record MqttBrokerCounters(
    int Clients,
    int Sessions,
    int Subscriptions,
    int Retained,
    long MessagesIn,
    long MessagesOut,
    long DroppedSlow,
    long DroppedQueueFull,
    long DroppedOther,
    long Malformed,
    long Refused);

/// <summary>
/// An MQTT 5.0 and 3.1.1 broker in this process, on Kestrel. Alone: <see cref="StartAsync"/>. Inside an ASP.NET application:
/// <c>listenOptions.Run(broker.HandleConnectionAsync)</c> instead.
/// </summary>
public sealed class MqttBroker : IAsyncDisposable
{
    private const int TickMs = 250;
    private const int SweepTicks = 240;

    private readonly BrokerCounters _counters = new();
    private readonly CancellationTokenSource _stopping = new();
    private readonly Lock _openGate = new();
    private readonly HashSet<BrokerConnection> _open = [];
    private readonly long _startedAtMs = Environment.TickCount64;
    private WebApplication? _host;
    private Task? _ticking;
    private long _nextSysMs;

    public MqttBroker(MqttBrokerOptions? options = null)
    {
        Options = options ?? new MqttBrokerOptions();
        Router = new MessageRouter(Options, _counters);
        Sessions = new SessionTable(Options, Router);
    }

    /// <summary>A client connected (true) or went away (false), with the client id and a few words. Raised outside locks; must not block.</summary>
    public event Action<string, bool, string>? ClientChanged;

    public MqttBrokerOptions Options { get; }

    /// <summary>The port listened on; 0 before <see cref="StartAsync"/>.</summary>
    public int Port { get; private set; }

    /// <summary>The port of the listener with TLS; 0 where there is none.</summary>
    public int TlsPort { get; private set; }

    public MqttBrokerCounters Counters => _counters.Snapshot(Sessions.Connected, Sessions.Count, Router.Subscriptions, Router.Retained);

    internal MessageRouter Router { get; }

    internal SessionTable Sessions { get; }

    internal BrokerCounters Counts => _counters;

    internal bool IsStopping => _stopping.IsCancellationRequested;

    internal long NowMs => Environment.TickCount64;

    /// <summary>Listens. Throws <see cref="MqttException"/> with a sentence where the port is taken or the settings would let anybody in.</summary>
    public async Task StartAsync(CancellationToken cancellationToken = default)
    {
        if (!Options.IsLoopback && Options.Users.Count == 0 && Options.Authenticate is null && Options.AllowAnonymous != true)
        {
            throw new MqttException(
                $"The MQTT broker does not listen beyond this machine without users: anybody on the network could send commands. "
                + "Give it user names and passwords, listen on 127.0.0.1, or allow anonymous clients explicitly.", (byte)MqttReason.NotAuthorized);
        }

        WebApplicationBuilder builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.WebHost.UseKestrelCore().ConfigureKestrel(kestrel =>
        {
            kestrel.Listen(Options.Address, Options.Port, listen => listen.Run(HandleConnectionAsync));
            if (Options.Tls is { } tls)
            {
                kestrel.Listen(tls.Address, tls.Port, listen => listen.UseHttps(ClientCheck.CreateOptions(tls)).Run(HandleConnectionAsync));
            }
        });
        if (Options.Tls is not null)
        {
            builder.WebHost.UseKestrelHttpsConfiguration();
        }

        _host = builder.Build();
        try
        {
            await _host.StartAsync(cancellationToken).ConfigureAwait(false);
        }
        catch (IOException e)
        {
            await _host.DisposeAsync().ConfigureAwait(false);
            _host = null;
            string reason = e.InnerException is AddressInUseException
                ? "another program (another MQTT broker?) has this port. Stop it, or choose another port." : e.Message;
            bool isTls = Options.Tls is { } tls && tls.Port != 0 && e.Message.Contains($":{tls.Port}", StringComparison.Ordinal);
            int port = isTls ? Options.Tls!.Port : Options.Port;
            throw new MqttException(
                $"The MQTT broker cannot listen on {(isTls ? Options.Tls!.Address : Options.Address)}:{port}: {reason}",
                (byte)MqttReason.ServerUnavailable, e);
        }

        ICollection<string> addresses = _host.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses;
        Port = new Uri(addresses.First()).Port;
        TlsPort = Options.Tls is null ? 0 : new Uri(addresses.Last()).Port;
        HandleTimeouts();
    }

    /// <summary>Tells the clients (5.0: server shutting down), closes their connections and stops listening. Sessions are forgotten.</summary>
    public async Task StopAsync(CancellationToken cancellationToken = default)
    {
        if (IsStopping)
        {
            return;
        }

        _stopping.Cancel();
        BrokerConnection[] open;
        lock (_openGate)
        {
            open = [.. _open];
        }

        foreach (BrokerConnection connection in open)
        {
            connection.Fail(MqttReason.ServerShuttingDown);
        }

        if (_host is not null)
        {
            await _host.StopAsync(cancellationToken).ConfigureAwait(false);
            await _host.DisposeAsync().ConfigureAwait(false);
        }

        if (_ticking is not null)
        {
            await _ticking.ConfigureAwait(false);
        }
    }

    public async ValueTask DisposeAsync()
    {
        await StopAsync().ConfigureAwait(false);
        _stopping.Dispose();
    }

    /// <summary>Serves one connection until it ends; for Kestrel's <c>listenOptions.Run(...)</c>.</summary>
    public async Task HandleConnectionAsync(ConnectionContext context)
    {
        var connection = new BrokerConnection(this, context.Transport.Input, context.Transport.Output, context.RemoteEndPoint, context.Abort)
        {
            CertificateName = ClientCheck.NameOf(context.Features),
        };
        lock (_openGate)
        {
            _open.Add(connection);
        }

        HandleTimeouts();
        await connection.RunAsync().ConfigureAwait(false);
    }

    /// <summary>Publishes a message as the broker itself.</summary>
    public void Publish(MqttMessage message)
    {
        if (!Topics.IsValidName(message.Topic))
        {
            throw new MqttException(
                $"\"{message.Topic}\" is not a topic to publish to: it is empty, too long or has wildcards.", (byte)MqttReason.TopicNameInvalid);
        }

        var touched = new Touched();
        Router.Publish(NowMs, message, publisher: null, topic: null, touched);
        touched.Schedule();
    }

    internal MqttReason Publish(MqttMessage message, BrokerSession publisher, TopicEntry topic, Touched touched) =>
        Router.Publish(NowMs, message, publisher, topic, touched);

    internal void PublishWills(List<MqttMessage> wills, Touched touched)
    {
        foreach (MqttMessage will in wills)
        {
            Router.Publish(NowMs, will, publisher: null, topic: null, touched);
        }
    }

    internal void ClientOpened(BrokerConnection connection, ConnectPacket connect, bool present)
    {
        string version = connect.Protocol == MqttProtocol.V5 ? "5" : "3.1.1";
        string what = $"connected from {connection.Remote} with MQTT {version}{(present ? ", session resumed" : "")}";
        Options.Log?.Invoke($"MQTT client {connect.ClientId} {what}");
        ClientChanged?.Invoke(connect.ClientId, true, what);
    }

    internal void ConnectionEnded(BrokerConnection connection, string why)
    {
        lock (_openGate)
        {
            _open.Remove(connection);
        }

        var wills = new List<MqttMessage>();
        var touched = new Touched();
        Sessions.Close(NowMs, connection, connection.EndedNormally, wills);
        PublishWills(wills, touched);
        touched.Schedule();
        if (connection.Session is null)
        {
            Options.Log?.Invoke($"MQTT connection from {connection.Remote} refused: {why}");
            return;
        }

        Options.Log?.Invoke($"MQTT client {connection.Session.ClientId} gone: {why}");
        ClientChanged?.Invoke(connection.Session.ClientId, false, why);
    }

    // Under the session's gate.
    internal void Drained(BrokerConnection connection)
    {
        if (connection.Session is BrokerSession session && session.Connection == connection)
        {
            _counters.Sent(session.Refill(NowMs, 0));
        }
    }

    private void HandleTimeouts()
    {
        lock (_openGate)
        {
            _ticking ??= Task.Run(TickAsync);
        }
    }

    private async Task TickAsync()
    {
        using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(TickMs));
        for (int tick = 1; !IsStopping; tick++)
        {
            try
            {
                await timer.WaitForNextTickAsync(_stopping.Token).ConfigureAwait(false);
            }
            catch (OperationCanceledException)
            {
                return;
            }

            Tick(NowMs, sweep: tick % SweepTicks == 0);
        }
    }

    private void Tick(long nowMs, bool sweep)
    {
        BrokerConnection[] open;
        lock (_openGate)
        {
            open = [.. _open];
        }

        foreach (BrokerConnection connection in open)
        {
            connection.HandleTimeout(nowMs);
        }

        var wills = new List<MqttMessage>();
        var touched = new Touched();
        Sessions.HandleTimeout(nowMs, wills);
        PublishWills(wills, touched);
        if (Options.SysInterval > TimeSpan.Zero && nowMs >= _nextSysMs)
        {
            _nextSysMs = nowMs + (long)Options.SysInterval.TotalMilliseconds;
            PublishSys(nowMs, touched);
        }

        if (sweep)
        {
            Router.Sweep(nowMs);
        }

        touched.Schedule();
    }

    private void PublishSys(long nowMs, Touched touched)
    {
        MqttBrokerCounters counters = Counters;
        string version = typeof(MqttBroker).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion ?? "0";
        (string Name, string Value)[] rows =
        [
            ("version", $"IoTMesh {version}"),
            ("uptime", $"{(nowMs - _startedAtMs) / 1000} seconds"),
            ("clients/connected", $"{counters.Clients}"),
            ("clients/total", $"{counters.Sessions}"),
            ("subscriptions/count", $"{counters.Subscriptions}"),
            ("retained messages/count", $"{counters.Retained}"),
            ("messages/received", $"{counters.MessagesIn}"),
            ("messages/sent", $"{counters.MessagesOut}"),
            ("publish/messages/dropped", $"{counters.DroppedSlow + counters.DroppedQueueFull + counters.DroppedOther}"),
        ];
        foreach ((string name, string value) in rows)
        {
            Router.Publish(nowMs, new MqttMessage("$SYS/broker/" + name, Encoding.UTF8.GetBytes(value), 0, true), null, null, touched);
        }
    }
}
