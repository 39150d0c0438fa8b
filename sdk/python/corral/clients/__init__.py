"""HTTP clients of Python, which here send through the node: each module tells one library, when it is first imported."""
