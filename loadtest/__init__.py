"""A load harness that sees a deployment from outside: HTTP, websockets, simulated people, and then a verdict."""
