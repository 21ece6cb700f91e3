using IoTMesh.Core;

namespace IoTMesh.Simulation;

/// <summary>
/// A stolen node whose own core goes on, so that it keeps its place in the mesh, and whose frames are changed on their way out: sinkhole,
/// rank, selective forwarding, clock.
/// </summary>
internal sealed class TurncoatAttacker(AttackerEntry entry, AttackerPort port) : Attacker(entry, port)
{
    private const int CounterHighMax = 64;
    private const long LieMs = 3_600_000;
    private readonly MessageHeader _header = new();
    private ushort _lift;

    private bool LuresTraffic => Entry.Kind is AttackKind.Sinkhole or AttackKind.Rank;

    internal override bool Sends(MeshOutput output)
    {
        byte[] frame = output.Buffer;
        switch (FrameFormat.GetType(frame[0]))
        {
            case FrameFormat.TypeBeacon:
                ChangeBeacon(frame, output.Length - FrameFormat.TagLength);
                return true;

            // Somebody looks for a way around it.
            case FrameFormat.TypeRequest:
                return Entry.Kind != AttackKind.Sinkhole;
            case FrameFormat.TypeData:
                bool drops = Entry.Kind is AttackKind.Sinkhole or AttackKind.Selective && Port.Random.NextDouble() < Entry.Share;
                if (drops && CarriesOthers(frame, output.Length - FrameFormat.TagLength))
                {
                    Swallowed++;
                    AckToCore(frame);
                    return false;
                }

                return true;
            default:
                return true;
        }
    }

    private void ChangeBeacon(byte[] frame, int end)
    {
        int body = FrameFormat.WideLength;
        int at = body + BeaconFormat.LengthBeforeEntries(frame, body, end);
        bool hasTime = (frame[body + BeaconFormat.OffsetFlags] & BeaconFormat.FlagTime) != 0;
        if (Entry.Kind == AttackKind.Clock && hasTime)
        {
            int field = body + BeaconFormat.FixedLength;
            TimeFormat.PutUtc16(frame, field + TimeFormat.OffsetUtc, TimeFormat.GetUtc16(frame, field + TimeFormat.OffsetUtc) + (LieMs * 16));
            ushort word = Bytes.GetU16(frame, field + TimeFormat.OffsetWord);
            Bytes.PutU16(frame, field + TimeFormat.OffsetWord, (ushort)(word + 1 + (Port.NowUs / 1_000_000 / 4)));
            Bytes.PutU16(frame, field + TimeFormat.OffsetSigma, 1);
            frame[field + TimeFormat.OffsetHops] = 0;
        }

        _lift += Entry.Kind == AttackKind.Rank ? (ushort)1 : (ushort)0;
        for (; LuresTraffic && at + BeaconFormat.EntryLength <= end; at += BeaconFormat.EntryLength)
        {
            ushort metric = Bytes.GetU16(frame, at + BeaconFormat.EntryOffsetMetric);
            if ((metric & BeaconFormat.EntryGatewayBit) != 0)
            {
                Bytes.PutU16(frame, at + BeaconFormat.EntryOffsetMetric, BeaconFormat.EntryGatewayBit);
                int seqNo = Bytes.GetU16(frame, at + BeaconFormat.EntryOffsetSeqNo) + _lift;
                Bytes.PutU16(frame, at + BeaconFormat.EntryOffsetSeqNo, (ushort)seqNo);
            }
        }

        Port.Forger.Sign(frame, end, Bytes.GetU32(frame, FrameFormat.OffsetCounter));
    }

    private bool CarriesOthers(byte[] frame, int end)
    {
        int at = FrameFormat.NarrowLength;
        if ((frame[FrameFormat.OffsetNetwork] & FrameFormat.FlagExtension) != 0)
        {
            return true;
        }

        at += (frame[FrameFormat.OffsetNetwork] & FrameFormat.FlagAck) != 0 ? FrameFormat.RidingAckLength : 0;
        at += (frame[0] & 3) == (int)MeshClass.RealTime ? 2 : 1;
        while (at < end && _header.Parse(frame, at, end, Port.Address) == ParseError.None)
        {
            if (_header.Origin != Port.Address)
            {
                return true;
            }

            at = _header.BodyOffset + _header.BodyLength;
        }

        return false;
    }

    /// <summary>Tells its own core that the next hop has the frame; else the core would look for another.</summary>
    private void AckToCore(byte[] frame)
    {
        ushort nextHop = Bytes.GetU16(frame, FrameFormat.OffsetDestination);
        uint low = Bytes.GetU16(frame, FrameFormat.OffsetCounter);
        for (uint high = 0; high < CounterHighMax; high++)
        {
            if (Port.Whisper(Port.Forger.Ack(nextHop, Port.Address, (high << 16) | low), FrameFormat.AckShortLength) == ParseError.None)
            {
                return;
            }
        }
    }
}
