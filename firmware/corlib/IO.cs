namespace System.IO;

public class IOException : SystemException
{
    public extern IOException.IOExceptionErrorCode ErrorCode { get; }
    public extern IOException();
    public extern IOException(string message);
    public extern IOException(string message, int hresult);
    public extern IOException(string message, Exception innerException);

    public enum IOExceptionErrorCode
    {
        Others = -536870912,
        InvalidDriver = -520093696,
        FileNotFound = -503316480,
        DirectoryNotFound = -486539264,
        VolumeNotFound = -469762048,
        PathTooLong = -452984832,
        DirectoryNotEmpty = -436207616,
        UnauthorizedAccess = -419430400,
        PathAlreadyExists = -402653184,
        TooManyOpenHandles = -385875968,
    }
}
