"""Side-by-side benchmark: this server, Hocuspocus and pycrdt-websocket under one load client, on loopback only."""
