"""The HTTP app: accounts, projects, and everything about a document that is not its live websocket."""
