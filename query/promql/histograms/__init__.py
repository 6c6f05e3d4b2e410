"""Arithmetic, functions and forms of native histograms, and the functions over classic ``le`` buckets."""
