"""Maps: where a claim holds over two parameters. The map, its refinement, and how one is made."""
