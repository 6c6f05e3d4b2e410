"""Functions over range vectors and simple functions of instant vectors, on whole NumPy arrays."""
