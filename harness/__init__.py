"""What a run is, and the one loop that runs it. Modules in reading order:

    op history verdict errors effects     the vocabulary: imports nothing above it
    protocols                             what clusters, clients, targets and workloads must offer
    generator/ workloads/                 pure: which op comes next
    schedule plan                         pure: one frozen, validated description of a run
    journal store                         crash-safe records, the directory of a run
    worker injector runner                one client; one fault; the loop
    clusters/                             where nodes run
    cli/                                  the composition root: the only place that knows every table
"""

__version__ = "0.1.0"
