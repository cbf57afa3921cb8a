"""Session guarantees of registers: read-your-writes, monotonic-reads, monotonic-writes, writes-follow-reads.

Source: Terry, Demers, Petersen, Spreitzer, Theimer, Welch, "Session Guarantees for Weakly Consistent Replicated Data"
(PDIS 1994). There every server holds a set of writes, all servers put the writes that they hold into one order (WriteOrder),
and a read returns the last write of its key. Of a single key, in one session, "before" meaning that one operation had completed
when the other began, the guarantees then say, of the order of the key's versions (the null that it begins with is the first):

    read-your-writes      after a write, a read returns that version or a later one
    monotonic-reads       after a read, a read returns the same version or a later one
    monotonic-writes      after a write, a write makes a later version
    writes-follow-reads   after a read, a write makes a later version than the one read

The promise is made for all clients together: there is *one* order of the versions of a key that satisfies all that is
promised to all sessions. If no such order exists, at least one guarantee is broken, whatever the order really was; otherwise a
correct store could have shown this very history, so nothing is reported. Keys are judged one by one, as if each were a store
of its own: what reaches across keys is causal consistency.

In reading order: ``chains`` who came before whom in a session, and who went back · ``orders`` what is known of the order of
versions · ``circles`` demands that no order meets · ``telling`` the sentence for a stranger · ``check`` the checker.
"""
