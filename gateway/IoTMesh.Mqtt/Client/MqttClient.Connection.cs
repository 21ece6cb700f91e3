using System.Buffers;
using System.IO.Pipelines;
using IoTMesh.Mqtt.Client;
using IoTMesh.Mqtt.Codec;
using IoTMesh.Mqtt.Session;

namespace IoTMesh.Mqtt;

/// <content>One connection, from CONNECT until it ends.</content>
public sealed partial class MqttClient
{
    private const int ReadBufferBytes = 64 * 1024;
    private const int TickMsMax = 1_000;
    private const int TickMsMin = 100;

    /// <summary>Returns why the connection ended, as the end of a sentence that starts with the broker's name.</summary>
    private async Task<(string Reason, bool WasConnected)> ServeAsync(Stream stream)
    {
        PipeReader reader = PipeReader.Create(stream, new StreamPipeReaderOptions(bufferSize: ReadBufferBytes, leaveOpen: true));
        var pump = new OutputPump(_gate, PipeWriter.Create(stream, new StreamPipeWriterOptions(leaveOpen: true)));
        var connection = new Connection(reader, pump, new PacketFramer(_options.PacketBytesMax));
        pump.Closed = () => connection.Stop(HungUp);
        pump.Drained = () => _core.Session.Pump(NowMs);
        lock (_gate)
        {
            _pump = pump;
            _core.Begin(NowMs, pump.Buffer);
            pump.Schedule();
        }

        int tickMs = Math.Clamp(_options.KeepAliveSeconds * 1000 / 4, TickMsMin, TickMsMax);
        try
        {
            await using (new Timer(_ => Tick(connection), null, tickMs, tickMs))
            await using (_stopping.Token.UnsafeRegister(_ => connection.Stop("was left"), null))
            {
                await ReadAsync(connection).ConfigureAwait(false);
            }
        }
        finally
        {
            End(connection);
            await reader.CompleteAsync().ConfigureAwait(false);
        }

        return (connection.Ending!, connection.WasConnected);
    }

    private void End(Connection connection)
    {
        lock (_gate)
        {
            connection.WasConnected = _connected;
            _connected = false;
            _pump = null;
            _lastReason = $"the connection was lost: the broker {connection.Ending}";
            _core.End();
        }

        CompletePending();
        if (_leaving)
        {
            _stopping.Cancel();
        }
    }

    private async Task ReadAsync(Connection connection)
    {
        try
        {
            while (connection.Ending is null)
            {
                ReadResult result = await connection.Reader.ReadAsync().ConfigureAwait(false);
                ReadOnlySequence<byte> buffer = result.Buffer;
                HandleInput(connection, ref buffer);
                connection.Reader.AdvanceTo(buffer.Start, buffer.End);
                CompletePending();
                if (result.IsCompleted)
                {
                    connection.Ending ??= HungUp;
                }

                await _inbox.WaitForRoomAsync().ConfigureAwait(false);
            }
        }
        catch (Exception e) when (e is IOException or ObjectDisposedException or InvalidOperationException)
        {
            connection.Ending ??= $"{HungUp}: {e.Message.TrimEnd('.')}";
        }

        if (connection.SaysGoodbye)
        {
            await Task.WhenAny(connection.Written.Task, Task.Delay(LastWriteMs)).ConfigureAwait(false);
        }
    }

    private void HandleInput(Connection connection, ref ReadOnlySequence<byte> buffer)
    {
        while (connection.Ending is null)
        {
            ClientEvent happened;
            lock (_gate)
            {
                bool read = connection.Framer.TryRead(ref buffer, out PacketFrame frame, out MqttReason error);
                if (!read && error == MqttReason.Success)
                {
                    break;
                }

                happened = read ? _core.Handle(NowMs, frame) : _core.Reject(error);
                _connected = _core.IsConnected;
            }

            HandleEvent(connection, in happened);
        }

        connection.Pump.Schedule();
    }

    private void HandleEvent(Connection connection, in ClientEvent happened)
    {
        switch (happened.Kind)
        {
            case ClientEventKind.Connected:
                Raise(true, $"Connected to the MQTT broker {_broker} as {_core.ClientId}, {happened.Text}.");
                break;
            case ClientEventKind.Message:
                _inbox.Take(in happened);
                break;
            case ClientEventKind.Ended:
                connection.SaysGoodbye = true;
                connection.Ending ??= happened.Text;
                connection.Pump.CloseAfterWriting();
                break;
        }
    }

    private void Tick(Connection connection)
    {
        ClientEvent happened;
        lock (_gate)
        {
            if (_pump != connection.Pump)
            {
                return;
            }

            happened = _core.HandleTimeout(NowMs);
            connection.Pump.Schedule();
        }

        if (happened.Kind == ClientEventKind.Ended)
        {
            connection.Stop(happened.Text);
        }
    }

    private async ValueTask HandleMessageAsync(ClientEvent received)
    {
        try
        {
            if (MessageReceived is Func<MqttMessage, ValueTask> handler)
            {
                await handler(received.Message!).ConfigureAwait(false);
            }
        }
        catch (Exception e)
        {
            _options.Log?.Invoke($"The handler failed for a message on \"{received.Message!.Topic}\": {e.Message}");
        }

        if (received.Message!.Qos > 0)
        {
            lock (_gate)
            {
                _core.Acknowledge(in received);
                _pump?.Schedule();
            }
        }
    }

    // Outside the gate, so that what waits may publish again.
    private void CompletePending()
    {
        Completion[] completions;
        lock (_gate)
        {
            List<Completion> list = _core.Session.Completions;
            if (list.Count == 0)
            {
                return;
            }

            completions = [.. list];
            list.Clear();
        }

        foreach (Completion completion in completions)
        {
            if (completion.Token is PendingPublish publish)
            {
                publish.Complete(in completion, _broker);
            }
            else
            {
                Settle((PendingRequest)completion.Token, in completion);
            }
        }
    }

    private void Settle(PendingRequest request, in Completion completion)
    {
        if (completion.Lost)
        {
            request.TrySetResult(null);
            return;
        }

        IReadOnlyList<MqttReason> reasons = completion.Reasons ?? [];
        lock (_gate)
        {
            _core.Settle(request, reasons);
        }

        for (int i = 0; i < Math.Min(reasons.Count, request.Filters.Length) && !request.IsAwaited; i++)
        {
            if (reasons[i] >= MqttReason.UnspecifiedError)
            {
                _options.Log?.Invoke($"The broker {_broker} refused the subscription to \"{request.Filters[i]}\": {reasons[i].Describe()}.");
            }
        }

        request.TrySetResult(reasons);
    }

    private sealed class Connection(PipeReader reader, OutputPump pump, PacketFramer framer)
    {
        public PipeReader Reader => reader;

        public OutputPump Pump => pump;

        public PacketFramer Framer => framer;

        public TaskCompletionSource Written { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        /// <summary>Why it ends; null while it goes on.</summary>
        public volatile string? Ending;

        public bool WasConnected;

        /// <summary>Ended by us with a last packet that is still to be written.</summary>
        public volatile bool SaysGoodbye;

        public void Stop(string why)
        {
            Ending ??= why;
            Written.TrySetResult();
            reader.CancelPendingRead();
        }
    }
}
