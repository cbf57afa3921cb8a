"""What the clusters' networks have in common: the state of links, what carries it out (packets or streams), and the probes that measure it."""
