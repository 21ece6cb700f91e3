return await IoTMesh.Gateway.CommandLine.Cli.RunAsync(args);
