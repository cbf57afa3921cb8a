"""Linearizability: every operation seems to take effect at one moment between its invocation and its
completion.

Source: Herlihy and Wing, "Linearizability: A Correctness Condition for Concurrent Objects" (1990). It is
local (their theorem 1): a history is linearizable iff the part of every key is, so keys are judged one by
one.

In reading order: ``models`` what objects promise · ``encode`` calls as integers · ``unique`` the linear-time
algorithm · ``sources`` what can have been read from where · ``wgl`` the search for any model ·
``register_search`` the same for registers, compiled (see ``checkers.kernels``) · ``layers`` the same layer by
layer · ``tabled`` the same for any model, ``steps`` for those whose state is an integer · ``quick`` the usual
case of ``unique`` · ``containers`` queues, stacks and their like, nearly linear · ``growing`` sets that only
grow, ``elements`` those that are asked for one element at a time, ``changing`` (by ``moments``) the others ·
``appends`` strings that grow · ``orders`` an order to show · ``check`` who judges what · ``witness`` (by ``shrink``)
the smallest proof · ``explain`` (by ``patterns``) the sentence.
"""
