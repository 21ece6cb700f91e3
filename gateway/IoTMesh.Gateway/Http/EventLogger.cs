using IoTMesh.Gateway.Live;

namespace IoTMesh.Gateway.Http;

/// <summary>Turns what ASP.NET logs as an error into one line of the event log.</summary>
internal sealed class EventLogger(LiveMesh live) : ILoggerProvider
{
    public ILogger CreateLogger(string categoryName)
    {
        return new CategoryLogger(live);
    }

    public void Dispose()
    {
    }

    private sealed class CategoryLogger(LiveMesh live) : ILogger
    {
        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull
        {
            return null;
        }

        public bool IsEnabled(LogLevel logLevel)
        {
            return logLevel >= LogLevel.Error;
        }

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        {
            // A body too large or cut off is the caller's fault, and answered as such: it must not fill the log.
            if (IsEnabled(logLevel) && exception is not Microsoft.AspNetCore.Http.BadHttpRequestException)
            {
                string cause = exception is null ? "" : $" ({exception.GetType().Name}: {exception.Message})";
                live.AddEvent("error", "http", (formatter(state, exception) + cause).ReplaceLineEndings(" "));
            }
        }
    }
}
