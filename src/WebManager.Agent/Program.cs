return await WebManager.Agent.Host.AgentProgram.RunAsync(args);
