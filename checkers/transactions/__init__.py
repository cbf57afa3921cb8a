"""Transactions: which isolation did a database give? After Elle (Kingsbury and Alvaro, VLDB 2020), with its names of anomalies.

    txns            the transactions of a history, and what is wrong with one alone
    values          who wrote which value, and reads of what should not have been read
    graph           who must come before whom, and why: ww, wr, rw, process and real time
    scc             strongly connected components, in linear time
    cycles          the cycles in that graph, by name
    models          consistency models: which cycles and other anomalies refute them
    telling         the words
    judging         from findings to a verdict
    list_append     transactions that read lists and append to them: the order of versions can be read off
    rw_register     transactions that read and overwrite registers: the order of versions is inferred

A cycle of dependencies is a set of transactions each of which must come before itself; no serial order explains them (Adya 1999). All
inferences are sound: an edge stands in the graph only if every history that satisfies the model has it. They are complete for neither
workload (nobody knows the place of a write that nobody read), so valid means: nothing refutes the model.
"""
