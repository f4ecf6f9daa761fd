"""Who is here and how processes talk: tickets, events and the bus between nodes."""
