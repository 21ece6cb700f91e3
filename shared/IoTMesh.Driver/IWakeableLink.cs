namespace IoTMesh.Driver;

/// <summary>A link whose waiting Receive can be ended from another thread, so that posted work starts at once.</summary>
public interface IWakeableLink : ILink
{
    /// <summary>Lets the current (or next) Receive return 0 at once. Any thread; never throws.</summary>
    void Wake();
}
