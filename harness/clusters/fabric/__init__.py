"""What the clusters' networks have in common: the state of links, and the probes that measure them."""
