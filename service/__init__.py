"""The local service for other programs, a client of the engine: REST, stream and hooks over HTTP, tools over MCP."""
