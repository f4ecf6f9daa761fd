"""What operators do: commands on stored documents and on running nodes, and what a node answers them."""
