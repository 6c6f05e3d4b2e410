"""Changes of the mesh by form: the objects that a form asks for, made of those that are there."""
