"""Consistency models of registers between session guarantees and linearizability.

    pram                every process sees the writes of each process in its order (Lipton, Sandberg 1988)
    causal              what a write depended on is seen before it (weak causal consistency)
    causal-memory       and every process can put all it saw into one order (Ahamad and others 1995)
    causal-convergence  and all agree on the order of writes of one key (Bouajjani and others 2017)
    sequential          one order of all operations that keeps the order of every process (Lamport 1979)
    regular, safe       of single registers, by real time (Lamport 1986), for several writers

They speak of all keys together: none but the last two is local. If every value is written once, the first four
are decided exactly, in polynomial time, by bad patterns (Bouajjani, Enea, Guerraoui, Hamza, "On Verifying Causal
Consistency", POPL 2017). Sequential consistency is refuted by a cycle of orders that follow from one another,
proved by an order that a search finds, and else unknown.

In reading order: ``reads_from`` operations and what they saw · ``relations`` orders that follow from others ·
``sequential`` the search · ``check`` the checker ``weak`` · ``registers`` the checker ``weak-registers``.
"""
