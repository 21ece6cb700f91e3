using System.Text.Json;
using IoTMesh.Core;

namespace IoTMesh.Gateway.Bridge;

/// <summary>One step of a request.</summary>
/// <param name="Value">bool, long, string or null.</param>
public sealed record CommandStep(CommandOp Op, string Key, object? Value);

/// <summary>
/// A request as people write it: <c>{"id":"a1","led":true}</c>, <c>{"id":"a1","key":"led","value":true}</c> for set,
/// <c>{"id":"a1","key":"led"}</c> for get, <c>{"id":"a1","op":"ping"}</c> for either and REST.
/// </summary>
/// <param name="Id">The caller's id, a text or a number; repeated in the answer.</param>
/// <param name="Error">Why it cannot be carried out, or null.</param>
public sealed record CommandRequest(JsonElement? Id, string Operation, IReadOnlyList<CommandStep> Steps, string? Error)
{
    private const int StepsMax = 12;
    private const int LengthMax = 4096;

    /// <param name="operation">set, get or ping; the payload's <c>op</c> overrides it.</param>
    public static CommandRequest Parse(string operation, ReadOnlyMemory<byte> payload)
    {
        JsonElement? id = null;
        try
        {
            if (payload.Length > LengthMax)
            {
                return Fail(id, operation, $"a request has at most {LengthMax} bytes");
            }

            JsonElement root = StrictJson.Parse(payload.IsEmpty ? "{}"u8.ToArray() : payload);
            if (root.ValueKind != JsonValueKind.Object)
            {
                return Fail(id, operation, "a request is a JSON object, for example {\"id\":\"a1\",\"led\":true}");
            }

            if (root.TryGetProperty("id", out JsonElement given))
            {
                if (given.ValueKind is not (JsonValueKind.String or JsonValueKind.Number))
                {
                    return Fail(id, operation, "id must be a text or a number");
                }

                id = given;
            }

            if (root.TryGetProperty("op", out JsonElement op))
            {
                operation = op.ValueKind == JsonValueKind.String ? op.GetString()! : op.GetRawText();
            }

            return Parse(id, operation, root);
        }
        catch (JsonException e)
        {
            return Fail(id, operation, "not valid JSON: " + Simulation.InputException.Shorten(e.Message).TrimEnd('.'));
        }
    }

    private static CommandRequest Parse(JsonElement? id, string operation, JsonElement root)
    {
        switch (operation)
        {
            case "set":
                return ParseSet(id, root);
            case "get":
                return root.TryGetProperty("key", out JsonElement key) && key.ValueKind == JsonValueKind.String
                    ? new CommandRequest(id, operation, [new CommandStep(CommandOp.Get, key.GetString()!, null)], null)
                    : Fail(id, operation, "get needs a key, for example {\"id\":\"a1\",\"key\":\"led\"}");
            case "ping":
                return new CommandRequest(id, operation, [new CommandStep(CommandOp.Ping, "", (long)Environment.TickCount64)], null);
            case "identify":
                return new CommandRequest(id, operation, [new CommandStep(CommandOp.Identify, "", null)], null);
            case "reboot":
                return new CommandRequest(id, operation, [new CommandStep(CommandOp.Reboot, "", null)], null);
            case "describe":
                return new CommandRequest(id, operation, [new CommandStep(CommandOp.Describe, "", null)], null);
            default:
                return Fail(id, operation, "op must be set, get, ping, identify, reboot or describe");
        }
    }

    private static CommandRequest ParseSet(JsonElement? id, JsonElement root)
    {
        var steps = new List<CommandStep>();
        if (root.TryGetProperty("key", out JsonElement key))
        {
            if (key.ValueKind != JsonValueKind.String || !root.TryGetProperty("value", out JsonElement value) || !TryRead(value, out object? read))
            {
                return Fail(id, "set", "set needs a key (text) and a value (true, false, a whole number or a text)");
            }

            return new CommandRequest(id, "set", [new CommandStep(CommandOp.Set, key.GetString()!, read)], null);
        }

        foreach (JsonProperty property in root.EnumerateObject().Where(p => p.Name is not ("id" or "op")))
        {
            if (!TryRead(property.Value, out object? value))
            {
                return Fail(id, "set", $"{property.Name} must be true, false, a whole number or a text");
            }

            steps.Add(new CommandStep(CommandOp.Set, property.Name, value));
        }

        return steps.Count is > 0 and <= StepsMax
            ? new CommandRequest(id, "set", steps, null)
            : Fail(id, "set", $"set needs 1 to {StepsMax} values, for example {{\"id\":\"a1\",\"led\":true}}");
    }

    private static bool TryRead(JsonElement element, out object? value)
    {
        value = element.ValueKind switch
        {
            JsonValueKind.True => true,
            JsonValueKind.False => false,
            JsonValueKind.String => element.GetString(),
            JsonValueKind.Number => element.TryGetInt64(out long number) ? number : null,
            _ => null,
        };
        return value is not null;
    }

    private static CommandRequest Fail(JsonElement? id, string operation, string error)
    {
        return new CommandRequest(id, operation, [], error);
    }
}
