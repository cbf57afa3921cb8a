"""What a run is, and the one loop that runs it. Modules in reading order:

op history verdict errors effects     the vocabulary: imports nothing above it
samples                               quantiles, and the interval in which a share lies
columns calls interning frame         how a history keeps millions of ops without an object for each
splits                                partitions of two sides, and whose clients are on which
formats/                              history files: JSON lines, JSON, EDN
protocols                             what clusters, clients, targets and workloads must offer
litmus files                          what workloads, clients and checkers agree on: litmus tests, as data; the operations on files
generator/ workloads/                 pure: which op comes next
schedule plan                         pure: one frozen, validated description of a run
journal store                         crash-safe records, the directory of a run
worker powers packets injector runner one client; one effect; what packets met; one fault; the loop
phases lifecycle                      the shape of every run; a run from its first process to its last
mark heal heal_machine                whose things are; what dead runs have left, found and removed
messages                              who sent what to whom, by a packet log
judge nodelogs log_patterns results   from what was recorded to verdicts and their document
claims verification comparison        many runs: claims against runs, and runs against earlier ones
clusters/                             where nodes run
cli/                                  the composition root: the only place that knows every table
"""

__version__ = "0.1.0"
