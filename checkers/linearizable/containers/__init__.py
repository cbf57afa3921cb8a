"""Queues, stacks, priority queues and bags to which every value is added once: exact, in (nearly) linear time
whatever the concurrency.

Sources: Henzinger, Sezgin, Vafeiadis, "Aspect-Oriented Linearizability Proofs" (CONCUR 2013), the four bad
patterns of queues; Abdulla and others, "Efficient Linearizability Monitoring" (PLDI 2025) and Lee and Mathur,
"Efficient Decrease-and-Conquer Linearizability Monitoring" (OOPSLA 2025), which take values away one by one.
The proofs of what is done here stand beside the kernels.

A value taken away with both its operations leaves a legal order legal. Hence (1) the operations on some of the
values are a witness if they are impossible by themselves; (2) a call that may have added a value that nobody
took need not have happened; (3) what is impossible for the taken values alone is impossible.

In reading order: ``lives`` when a value came and went · ``sweeps`` fifo, priority, any · ``lifo`` · ``judging``
the verdict on one object · ``telling`` its witness and sentence · ``case`` one key of a history.
"""
