"""How they speak: rooms, tokens and webhooks of one voice provider at a time, behind one port."""
