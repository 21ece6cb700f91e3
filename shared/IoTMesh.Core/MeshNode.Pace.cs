namespace IoTMesh.Core;

/// <content>
/// Bounds on beacons and requests in a row. Frames that collide lose links, lost links change routes, and changed routes make beacons and
/// requests: without a bound a full channel stays full for good. protocol.md 5.10.
/// </content>
public sealed partial class MeshNode
{
    private const int AnnouncePaceMs = 200;
    private const int AnnounceBurst = 12;
    private const int RequestPaceMs = 100;
    private const int RequestBurst = 20;

    // When the burst is whole again (a leaky bucket as one time).
    private long _announcePacedMs;
    private long _requestPacedMs;

    /// <summary>When the next announcement may go.</summary>
    private long AnnounceFreeMs => _announcePacedMs - ((AnnounceBurst - 1) * AnnouncePaceMs);

    private void NoteAnnounced()
    {
        _announcePacedMs = (_announcePacedMs > _nowMs ? _announcePacedMs : _nowMs) + AnnouncePaceMs;
    }

    /// <summary>Takes the right to send one request; what is refused is asked for again at its next try.</summary>
    private bool TakeRequest()
    {
        if (_nowMs < _requestPacedMs - ((RequestBurst - 1) * RequestPaceMs))
        {
            return false;
        }

        _requestPacedMs = (_requestPacedMs > _nowMs ? _requestPacedMs : _nowMs) + RequestPaceMs;
        return true;
    }
}
