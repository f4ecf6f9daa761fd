"""What this server costs and bears when there is much of it: rooms, connections, projects, history, nodes, bytes."""
