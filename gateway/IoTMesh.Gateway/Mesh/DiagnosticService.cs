using System.Collections.Concurrent;
using IoTMesh.Core;
using IoTMesh.Driver;

namespace IoTMesh.Gateway.Mesh;

/// <summary>One answer to a question asked of the mesh.</summary>
/// <param name="Hop">Distance in links; of a trace the number of the hop.</param>
/// <param name="Trace">What a hop says, or null.</param>
/// <param name="Table">Rows of a table, or null.</param>
public sealed record DiagnosisAnswer(ushort Origin, int Hop, int RoundTripMs, TraceAnswer? Trace, TableAnswer? Table)
{
    internal static DiagnosisAnswer Read(MeshOutput output)
    {
        return new DiagnosisAnswer(
            output.Origin, output.Hops, output.RoundTripMs, Diagnosis.ReadTrace(output.Buffer, output.Length),
            Diagnosis.ReadTable(output.Buffer, output.Length));
    }
}

/// <summary>How a question ended.</summary>
/// <param name="Error">Null where it was answered in full.</param>
public sealed record DiagnosisOutcome(IReadOnlyList<DiagnosisAnswer> Answers, string? Error);

/// <summary>Questions to any node about the mesh itself: ping, trace, counters, neighbors, routes. Any thread; one at a time, few waiting.</summary>
public sealed class DiagnosticService
{
    private const int WaitingMax = 8;
    private const int FirstTag = 0x1_0000;
    private static readonly TimeSpan _patience = TimeSpan.FromSeconds(90);

    private readonly MeshService _mesh;
    private readonly SemaphoreSlim _turn = new(1, 1);
    private readonly ConcurrentDictionary<int, Question> _open = new();
    private int _waiting;
    private int _lastTag = FirstTag;

    public DiagnosticService(MeshService mesh)
    {
        _mesh = mesh;
        mesh.DiagnosisAnswered += (tag, answer) =>
        {
            if (_open.TryGetValue(tag, out Question? question))
            {
                question.Answers.Enqueue(answer);
            }
        };
        mesh.SendEnded += (tag, success) =>
        {
            if (_open.TryGetValue(tag, out Question? question))
            {
                question.Done.TrySetResult(success);
            }
        };
    }

    private async Task<DiagnosisOutcome> AskSelfAsync(DiagnosisKind kind, CancellationToken cancellationToken)
    {
        if (kind is DiagnosisKind.Ping or DiagnosisKind.Trace)
        {
            return new DiagnosisOutcome([], "this is the gateway that asks: ping and trace go to other nodes");
        }

        byte table = (byte)(kind - DiagnosisKind.Counters + DiagnosticTable.Counters);
        return new DiagnosisOutcome(await _mesh.ReadOwnTableAsync(table).WaitAsync(_patience, cancellationToken), null);
    }

    private sealed record Question(ConcurrentQueue<DiagnosisAnswer> Answers, TaskCompletionSource<bool> Done);

    /// <summary>Asks and waits for the end. Never throws for what the node or the mesh did.</summary>
    /// <param name="name">The node, for messages.</param>
    public async Task<DiagnosisOutcome> AskAsync(DiagnosisKind kind, ushort address, string name, CancellationToken cancellationToken)
    {
        if (address == _mesh.Address)
        {
            return await AskSelfAsync(kind, cancellationToken);
        }

        if (Interlocked.Increment(ref _waiting) > WaitingMax)
        {
            Interlocked.Decrement(ref _waiting);
            return new DiagnosisOutcome([], $"{WaitingMax} questions wait already; try again later");
        }

        int tag = Interlocked.Increment(ref _lastTag);
        var question = new Question(new(), new(TaskCreationOptions.RunContinuationsAsynchronously));
        bool isMyTurn = false;
        try
        {
            await _turn.WaitAsync(cancellationToken);
            isMyTurn = true;
            _open[tag] = question;
            if (!_mesh.TryDiagnose(kind, address, tag))
            {
                return new DiagnosisOutcome([], "the mesh has too many messages waiting; try again later");
            }

            bool success = await question.Done.Task.WaitAsync(_patience, cancellationToken);
            return new DiagnosisOutcome([.. question.Answers], success ? null : $"{name} does not answer");
        }
        catch (TimeoutException)
        {
            return new DiagnosisOutcome([.. question.Answers], $"{name} did not answer within {_patience.TotalSeconds:0} s");
        }
        finally
        {
            _open.TryRemove(tag, out _);
            Interlocked.Decrement(ref _waiting);
            if (isMyTurn)
            {
                _turn.Release();
            }
        }
    }
}
