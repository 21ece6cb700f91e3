using System.Text.Json;
using IoTMesh.Core;
using IoTMesh.Gateway.Mesh;
using IoTMesh.Gateway.Service;
using IoTMesh.Gateway.Storage;

namespace IoTMesh.Gateway.Bridge;

/// <summary>How a request ended.</summary>
/// <param name="IsAnswered">The node answered, if only to refuse.</param>
/// <param name="Json">The answer for the caller.</param>
public sealed record CommandResult(bool Ok, bool IsAnswered, byte[] Json);

/// <summary>Carries out a request and writes its answer; MQTT and REST share it.</summary>
public sealed class CommandRunner(CommandService commands, IAudit audit)
{
    /// <summary>
    /// The answer as JSON: <c>{"type":"response","id":"a1","op":"set","node":"node-7","ok":true,"values":{"led":true},"ms":93}</c>.
    /// </summary>
    /// <param name="who">For the audit.</param>
    public async Task<CommandResult> RunAsync(string who, Device device, CommandRequest request, CancellationToken cancellationToken)
    {
        var outcomes = new List<(CommandStep Step, CommandOutcome Outcome)>();
        string? error = request.Error;
        foreach (CommandStep step in request.Steps)
        {
            CommandOutcome outcome = await commands.SendAsync(device, step.Op, step.Key, step.Value, cancellationToken);
            outcomes.Add((step, outcome));
            if (outcome.Error is not null)
            {
                error = outcome.Error;
                break;
            }
        }

        // What was set is not in the audit: it may be secret to those who read it.
        string what = string.Join(", ", request.Steps.Select(s => s.Key).Where(k => k.Length > 0));
        audit.Note(who, "command", device.Id, $"{request.Operation} {what}".TrimEnd() + ": " + (error ?? "done"));
        bool isAnswered = outcomes.Count > 0 && outcomes[^1].Outcome.IsAnswered;
        return new CommandResult(error is null, isAnswered, Answer(request, device.Id, error, outcomes));
    }

    /// <summary>The answer to a request that names no node of this site.</summary>
    public static byte[] Refuse(CommandRequest request, string node, string error)
    {
        return Answer(request, node, request.Error ?? error, []);
    }

    private static byte[] Answer(CommandRequest request, string node, string? error, List<(CommandStep Step, CommandOutcome Outcome)> outcomes)
    {
        return Payloads.Object(json =>
        {
            json.WriteString("type", "response");
            json.WritePropertyName("id");
            if (request.Id is { } id)
            {
                id.WriteTo(json);
            }
            else
            {
                json.WriteNullValue();
            }

            json.WriteString("op", request.Operation);
            json.WriteString("node", node);
            json.WriteBoolean("ok", error is null);
            if (error is not null)
            {
                json.WriteString("error", error);
            }

            WriteValues(json, outcomes);
            json.WriteNumber("ms", Math.Round(outcomes.Sum(o => o.Outcome.Milliseconds)));
        });
    }

    private static void WriteValues(Utf8JsonWriter json, List<(CommandStep Step, CommandOutcome Outcome)> outcomes)
    {
        json.WriteStartObject("values");
        foreach ((CommandStep step, CommandOutcome outcome) in outcomes.Where(o => o.Outcome.Error is null && o.Step.Key.Length > 0))
        {
            json.WritePropertyName(step.Key);
            switch (outcome.Value ?? (step.Op == CommandOp.Set ? step.Value : null))
            {
                case bool flag:
                    json.WriteBooleanValue(flag);
                    break;
                case long number:
                    json.WriteNumberValue(number);
                    break;
                case string text:
                    json.WriteStringValue(text);
                    break;
                default:
                    json.WriteNullValue();
                    break;
            }
        }

        json.WriteEndObject();
    }
}
