"""The realtime server: websockets in, committed edits and presence out."""
