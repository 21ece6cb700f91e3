using System.Globalization;

namespace IoTMesh.Core;

/// <content>Bodies of the frames by which neighbors tell about themselves: beacons, probes, polls.</content>
public sealed partial class FrameInspector
{
    private void WalkBeacon(int at, int end)
    {
        int fixedLength = BeaconFormat.LengthBeforeEntries(_frame, at, end);
        if (end - at < fixedLength || (end - at - fixedLength) % BeaconFormat.EntryLength != 0)
        {
            Problem = "the beacon's length does not fit its entries";
            return;
        }

        Add("boot number", at, 2, Text(Bytes.GetU16(_frame, at)));
        Add("table version", at + BeaconFormat.OffsetVersion, 2, Text(Bytes.GetU16(_frame, at + BeaconFormat.OffsetVersion)));
        byte since = _frame[at + BeaconFormat.OffsetSince];
        Add("holds changes of the last", at + BeaconFormat.OffsetSince, 1, since == BeaconFormat.SinceFull ? "all versions" : $"{since} versions");
        byte part = _frame[at + BeaconFormat.OffsetPart];
        Add("part", at + BeaconFormat.OffsetPart, 1, $"{(part >> 4) + 1} of {part & 15}");
        Add("own seqno", at + BeaconFormat.OffsetSeqNo, 2, Text(Bytes.GetU16(_frame, at + BeaconFormat.OffsetSeqNo)));
        Add("gateway", at + BeaconFormat.OffsetFlags, 1, (_frame[at + BeaconFormat.OffsetFlags] & BeaconFormat.FlagGateway) != 0 ? "yes" : "no");
        if ((_frame[at + BeaconFormat.OffsetFlags] & BeaconFormat.FlagShortTable) != 0)
        {
            Add("tables are short", at + BeaconFormat.OffsetFlags, 1, "yes");
        }

        Add("beacon number", at + BeaconFormat.OffsetBeaconNumber, 1, Text(_frame[at + BeaconFormat.OffsetBeaconNumber]));
        if (fixedLength != BeaconFormat.FixedLength)
        {
            WalkTime(at + BeaconFormat.FixedLength);
        }

        for (at += fixedLength; at < end; at += BeaconFormat.EntryLength)
        {
            ushort metric = Bytes.GetU16(_frame, at + BeaconFormat.EntryOffsetMetric);
            int value = metric & 0x7FFF;
            string distance = value >= MeshConfig.InfiniteMetric ? "unreachable" : $"metric {value}";
            string gateway = (metric & BeaconFormat.EntryGatewayBit) != 0 ? ", a gateway" : "";
            string route = $"{Bytes.GetU16(_frame, at)}: {distance}, seqno {Bytes.GetU16(_frame, at + BeaconFormat.EntryOffsetSeqNo)}{gateway}";
            Add("route", at, BeaconFormat.EntryLength, route);
        }
    }

    private void WalkProbe(int at, int end)
    {
        Add("boot number", at, 2, Text(Bytes.GetU16(_frame, at)));
        if (end - at > ProbeFormat.OffsetFlags)
        {
            Add("sleepy leaf", at + ProbeFormat.OffsetFlags, 1, (_frame[at + ProbeFormat.OffsetFlags] & ProbeFormat.FlagLeaf) != 0 ? "yes" : "no");
        }

        if (end - at >= ProbeFormat.RefusalLength && (_frame[at + ProbeFormat.OffsetFlags] & ProbeFormat.FlagRefused) != 0)
        {
            Add("no place for the receiver", at + ProbeFormat.OffsetFlags, 2, $"may ask again after {_frame[at + ProbeFormat.OffsetWaitSeconds]} s");
        }
    }

    private void WalkPoll(int at)
    {
        Add("boot number", at, 2, Text(Bytes.GetU16(_frame, at)));
        Add("poll: seqno", at + PollFormat.OffsetSeqNo, 2, Text(Bytes.GetU16(_frame, at + PollFormat.OffsetSeqNo)));
        Add("poll: interval", at + PollFormat.OffsetInterval, 2, $"{Bytes.GetU16(_frame, at + PollFormat.OffsetInterval)} x 256 ms");
        Add("poll: next in", at + PollFormat.OffsetNext, 2, $"{Bytes.GetU16(_frame, at + PollFormat.OffsetNext)} x 256 ms");
        Add("poll: given up after", at + PollFormat.OffsetFlags, 1, $"{_frame[at + PollFormat.OffsetFlags] & PollFormat.PollsMask} polls");
    }

    private void WalkTime(int at)
    {
        long utc16 = TimeFormat.GetUtc16(_frame, at);
        Add("time", at, TimeFormat.OffsetWord, $"{utc16.ToString(CultureInfo.InvariantCulture)} / 16 ms since 1970");
        Add("time: word", at + TimeFormat.OffsetWord, 2, Text(Bytes.GetU16(_frame, at + TimeFormat.OffsetWord)));
        Add("time: standard error", at + TimeFormat.OffsetSigma, 2, $"{Bytes.GetU16(_frame, at + TimeFormat.OffsetSigma)} / 16 ms");
        Add("time: hops", at + TimeFormat.OffsetHops, 1, Text(_frame[at + TimeFormat.OffsetHops]));
    }
}
