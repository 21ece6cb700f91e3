namespace IoTMesh.Core;

/// <content>Services of the mesh itself: messages of kind 7, told apart by the first byte of their plaintext. protocol.md 4.2.</content>
public sealed partial class MeshNode
{
    private void ReceiveService(int peer, byte messageClass, int count, sbyte rssiDbm)
    {
        if (count < 1)
        {
            return;
        }

        switch (_plain[0])
        {
            case ServiceKind.KeptReading:
                ReceiveKeptReading(peer, count, rssiDbm);
                break;
            case ServiceKind.Fragment:
                ReceiveFragment(peer, messageClass, count, rssiDbm);
                break;
            case ServiceKind.FragmentAck:
                ReceiveFragmentAck(peer, count);
                break;
            case ServiceKind.Trace:
                ReceiveTrace(_header.Origin);
                break;
            case ServiceKind.TraceAnswer:
                ReceiveTraceAnswer(count, rssiDbm);
                break;
            case ServiceKind.TableRequest:
                ReceiveTableRequest(_header.Origin, count);
                break;
            case ServiceKind.TableAnswer:
                ReceiveTableAnswer(count, rssiDbm);
                break;
            case ServiceKind.ParentReport:
                ReceiveParentReport(peer, count);
                break;
            case ServiceKind.JoinUp:
                ReceiveJoinUp(peer, count);
                break;
            case ServiceKind.JoinDown:
                ReceiveJoinDown(count);
                break;
            case ServiceKind.NextKey:
                ReceiveNextKey(count);
                break;
            case ServiceKind.NextKeyTaken:
                ReceiveNextKeyTaken(peer, count);
                break;
        }
    }
}
