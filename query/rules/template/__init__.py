"""Templates of labels and annotations: the text/template language of Go with Prometheus' functions."""
