"""What the clusters' networks have in common: the state of links, what carries it out, and the probes that measure it."""
