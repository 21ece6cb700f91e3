namespace IoTMesh.Core;

/// <content>Join frames. protocol.md 8.7.</content>
public sealed partial class FrameInspector
{
    private static readonly string[] _joinSteps = ["solicit", "offer", "up", "down"];
    private static readonly string[] _joinMessages = ["", "ask", "challenge", "prove", "admit", "refuse"];

    private void WalkJoin()
    {
        int step = _frame[0] & 3;
        Add("join: step", 0, 1, _joinSteps[step]);
        Add("network hint", 1, 1, Text(_frame[FrameFormat.OffsetNetwork] >> 5));
        Add("link source", FrameFormat.OffsetSource, 2, Address(Bytes.GetU16(_frame, FrameFormat.OffsetSource)));
        Add("link destination", FrameFormat.OffsetDestination, 2, Address(Bytes.GetU16(_frame, FrameFormat.OffsetDestination)));
        int at = JoinFormat.HeaderLength;
        if (step == JoinFormat.StepSolicit)
        {
            return;
        }

        if (step == JoinFormat.StepOffer)
        {
            if (_frame.Length > at)
            {
                Add("join: cost", at, 1, Text(_frame[at]));
            }
            else
            {
                Problem = "an offer has a cost byte";
            }

            return;
        }

        byte message = _frame.Length > at ? _frame[at] : (byte)0;
        bool isUp = message == JoinFormat.Ask || message == JoinFormat.Prove;
        if (_frame.Length == at || JoinFormat.LengthOf(message) != _frame.Length - at || isUp != (step == JoinFormat.StepUp))
        {
            Problem = "no join message of that type, step and length";
            return;
        }

        Add("join: message", at, 1, _joinMessages[message]);
        Add("join: device", at + JoinFormat.OffsetDevice, 2, Address(Bytes.GetU16(_frame, at + JoinFormat.OffsetDevice)));
        WalkJoinMessage(message, at);
    }

    private void WalkJoinMessage(byte message, int at)
    {
        switch (message)
        {
            case JoinFormat.Ask:
                AddBytes("join: nonce", at + JoinFormat.AskOffsetNonce, JoinFormat.NonceLength);
                break;
            case JoinFormat.Challenge:
                Add("join: gateway", at + JoinFormat.OffsetGateway, 2, Address(Bytes.GetU16(_frame, at + JoinFormat.OffsetGateway)));
                AddBytes("join: gateway nonce", at + JoinFormat.ChallengeOffsetNonce, JoinFormat.NonceLength);
                break;
            case JoinFormat.Prove:
                Add("join: gateway", at + JoinFormat.OffsetGateway, 2, Address(Bytes.GetU16(_frame, at + JoinFormat.OffsetGateway)));
                AddBytes("join: nonce", at + JoinFormat.ProveOffsetNonce, JoinFormat.NonceLength);
                AddBytes("join: gateway nonce", at + JoinFormat.ProveOffsetGatewayNonce, JoinFormat.NonceLength);
                Add("join: boot", at + JoinFormat.ProveOffsetBoot, 2, Text(Bytes.GetU16(_frame, at + JoinFormat.ProveOffsetBoot)));
                Add("join: counter", at + JoinFormat.ProveOffsetCounter, 4, Number(at + JoinFormat.ProveOffsetCounter));
                break;
            case JoinFormat.Admit:
                Add("join: epoch", at + JoinFormat.AdmitOffsetEpoch, 4, Number(at + JoinFormat.AdmitOffsetEpoch));
                AddBytes("join: key, sealed", at + JoinFormat.AdmitOffsetKey, KeySchedule.KeyLength);
                break;
            default:
                Add("join: verdict", at + JoinFormat.RefuseOffsetVerdict, 1, Text(_frame[at + JoinFormat.RefuseOffsetVerdict]));
                break;
        }

        AddBytes("join: proof", _frame.Length - JoinFormat.TagLength, JoinFormat.TagLength);
    }

    private string Number(int offset)
    {
        return Bytes.GetU32(_frame, offset).ToString(System.Globalization.CultureInfo.InvariantCulture);
    }

    private void AddBytes(string name, int offset, int count)
    {
        Add(name, offset, count, System.Convert.ToHexStringLower(_frame, offset, count));
    }
}
