"""Transactions: which isolation did a database give? After Elle (Kingsbury and Alvaro, VLDB 2020), with its names of anomalies.

    parse, txns         the transactions of a history, as columns
    writes              who wrote which value; what is said of micro-operations
    graph, times        who must come before whom, and why: ww, wr, rw, process and real time
    scc, walk, cycles   strongly connected components, shortest walks, and the cycles by name
    visibility, visible  what transactions should have seen: atomic and causal views
    models              the lattice of consistency models: which anomalies refute which
    telling, judging    the words; from findings to a verdict
    list_append         lists: their order is read off (``lists``, ``list_edges``; in words ``list_facts``)
    closed_predicate    reads by predicates, of a universe that is known (``predicates``): phantoms by name
    rw_register         registers: their order is inferred (``registers``, ``register_orders``, ``register_edges``, ``register_facts``)

A cycle of dependencies is a set of transactions each of which must come before itself; no serial order explains them (Adya 1999). All
inferences are sound: an edge stands in the graph only if every history that satisfies the model has it. For lists valid also means, for
(strict) serializability, that an order exists. For registers nobody knows the place of a write that nobody read, so valid means: nothing
refutes the model. All that is done once per micro-operation, element or edge is done by kernels (see ``checkers.kernels``), on columns.
"""
