using System.Buffers;
using System.IO.Pipelines;
using System.Net;
using IoTMesh.Mqtt.Codec;
using IoTMesh.Mqtt.Session;

namespace IoTMesh.Mqtt.Broker;

/// <summary>One client's connection: reads its packets until it ends, and ends it with the reason that the standard asks for.</summary>
internal sealed class BrokerConnection
{
    private const int WriteLastPacketMs = 2_000;

    private readonly MqttBroker _broker;
    private readonly PipeReader _input;
    private readonly PipeWriter _output;
    private readonly Action _abort;
    private readonly PacketFramer _framer;
    private readonly PacketHandler _handler;
    private readonly Touched _touched = new();
    private readonly TaskCompletionSource _written = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly long _openedAtMs;
    private OutputPump? _pump;
    private long _lastReceivedMs;
    private int _keepAliveMs;
    private volatile string? _ending;

    public BrokerConnection(MqttBroker broker, PipeReader input, PipeWriter output, EndPoint? remote, Action abort)
    {
        _broker = broker;
        _input = input;
        _output = output;
        _abort = abort;
        _framer = new PacketFramer(broker.Options.PacketBytesMax);
        _handler = new PacketHandler(broker, this, _touched);
        Remote = remote;
        _openedAtMs = broker.NowMs;
        _lastReceivedMs = _openedAtMs;
    }

    public EndPoint? Remote { get; }

    /// <summary>Common name of the client's certificate; null: none.</summary>
    public string? CertificateName { get; init; }

    public BrokerSession? Session { get; private set; }

    public MqttProtocol Protocol { get; set; } = MqttProtocol.V311;

    public OutputPump Pump => _pump ??= MakePump(new Lock());

    /// <summary>DISCONNECT with reason 0 has come.</summary>
    public bool EndedNormally { get; set; }

    public ConnAckPacket? Accepted { get; set; }

    /// <summary>The session is bound, under its gate: the first thing out is CONNACK.</summary>
    public void Accept(BrokerSession session, bool present)
    {
        _pump = MakePump(session.Gate);
        Session = session;
        _touched.Owner = session;
        (Accepted! with { SessionPresent = present }).Write(_pump.Buffer, Protocol);
    }

    public void SetKeepAlive(int seconds) => Volatile.Write(ref _keepAliveMs, seconds * 1500); // section 3.1.2.10: one and a half times

    public async Task RunAsync()
    {
        try
        {
            while (_ending is null)
            {
                ReadResult result = await _input.ReadAsync().ConfigureAwait(false);
                ReadOnlySequence<byte> buffer = result.Buffer;
                Volatile.Write(ref _lastReceivedMs, _broker.NowMs);
                HandleInput(ref buffer);
                bool paused = _touched.Crowded is not null; // what is left has not been looked at
                _input.AdvanceTo(buffer.Start, paused ? buffer.Start : buffer.End);
                if (result.IsCompleted && !paused)
                {
                    Abandon("closed by the client");
                }

                if (_pump is not null && _ending is null)
                {
                    await WaitForOthersAsync().ConfigureAwait(false);
                }
            }

            if (_pump is not null)
            {
                await Task.WhenAny(_written.Task, Task.Delay(WriteLastPacketMs)).ConfigureAwait(false);
            }
        }
        catch (Exception e) when (e is IOException or OperationCanceledException or InvalidOperationException)
        {
            _ending ??= "lost: " + e.Message;
        }
        finally
        {
            _broker.ConnectionEnded(this, _ending ?? "failed");
        }
    }

    /// <summary>Ends the connection with a reason of the standard: CONNACK before, DISCONNECT (5.0 only) after the session is open.</summary>
    public void Fail(MqttReason reason)
    {
        bool opened = Session is not null;
        if (reason is MqttReason.MalformedPacket or MqttReason.ProtocolError or MqttReason.TopicNameInvalid or MqttReason.TopicAliasInvalid
            or MqttReason.PacketTooLarge or MqttReason.ReceiveMaximumExceeded)
        {
            _broker.Counts.Malformed();
        }

        if (opened)
        {
            WriteDisconnect(reason);
        }

        Abandon(reason.Describe());
    }

    /// <summary>Refuses a CONNECT. Where even the version is unknown, nothing is answered (section 4.13).</summary>
    public void Refuse(ConnAckPacket answer)
    {
        _broker.Counts.Refused();
        answer.Write(Pump.Buffer, Protocol);
        Abandon(answer.Reason.Describe());
    }

    public void WriteDisconnect(MqttReason reason)
    {
        if (Protocol == MqttProtocol.V5 && Session is not null)
        {
            lock (Session.Gate)
            {
                new DisconnectPacket(reason).Write(Pump.Buffer, PacketType.Disconnect, Protocol);
            }
        }
    }

    /// <summary>Writes what is left, then stops reading. Any thread.</summary>
    public void Abandon(string why)
    {
        _ending ??= why;
        _pump?.CloseAfterWriting();
        _input.CancelPendingRead();
    }

    public void HandleTimeout(long nowMs)
    {
        long silentMs = nowMs - Volatile.Read(ref _lastReceivedMs);
        int keepAliveMs = Volatile.Read(ref _keepAliveMs);
        if (_ending is not null)
        {
            if (silentMs > WriteLastPacketMs)
            {
                _abort(); // a client that does not read its last packet
            }
        }
        else if (Session is null ? nowMs - _openedAtMs > _broker.Options.ConnectTimeout.TotalMilliseconds : keepAliveMs > 0 && silentMs > keepAliveMs)
        {
            Fail(MqttReason.KeepAliveTimeout);
        }
    }

    // Before the next read: for a subscriber that is behind, and for one's own output.
    private async Task WaitForOthersAsync()
    {
        if (_touched.Crowded is BrokerSession crowded)
        {
            _touched.Crowded = null;
            await crowded.WaitForRoomAsync(_broker.Options.HoldPublisherMax).ConfigureAwait(false);
        }

        await _pump!.WaitForRoom(_broker.Options.OutputBytesMax).ConfigureAwait(false);
    }

    private OutputPump MakePump(Lock gate) => new(gate, _output)
    {
        Drained = () => _broker.Drained(this),
        Closed = () =>
        {
            _written.TrySetResult();
            Abandon("the client went away");
        },
    };

    private void HandleInput(ref ReadOnlySequence<byte> buffer)
    {
        MqttReason error = MqttReason.Success;
        while (_ending is null && _touched.Crowded is null && _framer.TryRead(ref buffer, out PacketFrame frame, out error))
        {
            error = _handler.Handle(frame);
            if (error != MqttReason.Success)
            {
                break;
            }
        }

        if (error != MqttReason.Success && _ending is null)
        {
            Fail(error);
        }

        _touched.Schedule();
        _pump?.Schedule();
    }
}
