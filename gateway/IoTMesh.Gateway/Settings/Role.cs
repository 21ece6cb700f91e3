namespace IoTMesh.Gateway.Settings;

/// <summary>What somebody may do; each may do what those before it may.</summary>
public enum Role
{
    /// <summary>Look: pages, readings, events, metrics.</summary>
    Viewer = 1,

    /// <summary>Ask and command nodes, rename them, let devices join.</summary>
    Operator,

    /// <summary>Decide who belongs to the site: devices, keys, users, tokens, the audit.</summary>
    Admin,
}

/// <summary>Roles as settings, commands and REST write them.</summary>
internal static class RoleNames
{
    internal const string All = "viewer, operator or admin";

    internal static string Name(this Role role)
    {
        return role.ToString().ToLowerInvariant();
    }

    /// <summary>The role of that name, or null.</summary>
    internal static Role? Parse(string? name)
    {
        return Enum.GetValues<Role>().Cast<Role?>().FirstOrDefault(r => r!.Value.Name() == name);
    }

    /// <summary>Null for the name of a role, else what is wrong.</summary>
    internal static string? Check(string name)
    {
        return Parse(name) is null ? $"must be {All}, is \"{name}\"" : null;
    }
}
