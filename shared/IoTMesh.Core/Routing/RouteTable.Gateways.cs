namespace IoTMesh.Core;

/// <content>Whether messages for any gateway have more than one to go to. protocol.md 5.6.</content>
internal sealed partial class RouteTable
{
    // Rounds of housekeeping for which a second gateway is remembered after it was lost or ended.
    private byte _severalTicks;

    /// <summary>
    /// A second gateway is known, or was in the last minutes: others may not have heard yet that it is lost, or that it is a gateway no more.
    /// </summary>
    internal bool HasSeveralGateways => _severalTicks > 0;

    private void CountGateways()
    {
        int gateways = 0;
        for (int i = 0; i < Count; i++)
        {
            gateways += IsGateway[i] && _unreachableTicks[i] < ForgottenTicks ? 1 : 0;
        }

        _severalTicks = gateways > 1 ? ForgottenTicks : _severalTicks;
    }
}
