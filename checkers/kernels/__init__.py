"""How kernels run. A kernel is a module-level function over columns of integers, written once, in plain Python.

``engine`` runs it as it is, on lists, or as machine code, on arrays; the answer and the steps counted are the
same. ``image`` holds all kernels compiled ahead of time, in one file: the checkers load that with llvmlite, in
a few milliseconds, and never import numba. ``build`` makes the image, with numba: when a wheel is built, by
``python -m checkers.kernels``, or once per machine when a check is long enough to be worth it.
"""

from __future__ import annotations

# Every kernel that is called from Python, of whichever checker: a line here puts it into the image. What a kernel
# calls itself comes along.
KERNELS = (
    "checkers.linearizable.quick:sweep_wide",
    "checkers.linearizable.quick:sweep_dense",
    "checkers.linearizable.quick:find_orphan",
    "checkers.linearizable.chains:sweep_chains",
    "checkers.linearizable.unique:find_writers",
    "checkers.linearizable.unique:follow_sources",
    "checkers.linearizable.unique:bound_clusters",
    "checkers.linearizable.unique:tie_blocks",
    "checkers.linearizable.unique:sweep_blocks",
    "checkers.linearizable.layout:assign_slots",
    "checkers.linearizable.register_search:explore",
    "checkers.linearizable.layers:explore_layers",
    "checkers.linearizable.touches:classify",
    "checkers.linearizable.touches:judge_elements",
    "checkers.linearizable.moments:copy_shows",
    "checkers.linearizable.moments:lay_out",
    "checkers.linearizable.moments:sweep_moments",
    "checkers.linearizable.moments:find_suspect",
    "checkers.linearizable.containers.lives:gather",
    "checkers.linearizable.containers.lives:settle",
    "checkers.linearizable.containers.lives:count_covers",
    "checkers.linearizable.containers.lives:find_full",
    "checkers.linearizable.containers.sweeps:sweep_fifo",
    "checkers.linearizable.containers.sweeps:sweep_priority",
    "checkers.linearizable.containers.lifo:lay_out",
    "checkers.linearizable.containers.lifo:peel",
    "checkers.transactions.parse:parse_texts",
    "checkers.transactions.txns:number_keys",
    "checkers.transactions.writes:lay_out_tables",
    "checkers.transactions.writes:index_writes",
    "checkers.transactions.writes:mark_happened",
    "checkers.transactions.lists:find_longest",
    "checkers.transactions.lists:order_versions",
    "checkers.transactions.lists:judge_reads",
    "checkers.transactions.list_edges:find_ends",
    "checkers.transactions.list_edges:depend_lists",
    "checkers.transactions.list_edges:depend_unseen",
    "checkers.transactions.registers:judge_reads",
    "checkers.transactions.registers:find_versions",
    "checkers.transactions.register_orders:find_zones",
    "checkers.transactions.register_orders:follow_reads",
    "checkers.transactions.register_orders:follow_real_time",
    "checkers.transactions.register_orders:find_steps",
    "checkers.transactions.register_orders:follow_sessions",
    "checkers.transactions.register_orders:group_pairs",
    "checkers.transactions.register_edges:count_edges",
    "checkers.transactions.register_edges:depend_readers",
    "checkers.transactions.register_edges:depend_followers",
    "checkers.transactions.visibility:see_all",
    "checkers.transactions.visibility:group_versions",
    "checkers.transactions.visibility:tell_time",
    "checkers.transactions.visibility:see_past",
    "checkers.transactions.times:follow_time",
    "checkers.transactions.graph:lay_out_rows",
    "checkers.transactions.graph:peel",
    "checkers.transactions.scc:tarjan",
    "checkers.transactions.walk:walk_back",
)
# Where the constants of kernels come from, and how they are compiled: an image made from others is not taken.
MADE_FROM = (
    "checkers.kernels.build",
    "checkers.linearizable.encode",
    "checkers.linearizable.layout",
    "checkers.linearizable.steps",
    "harness.columns",
)
