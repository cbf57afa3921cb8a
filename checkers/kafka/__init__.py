"""Logs with offsets, as Kafka has them: was anything lost, doubled, or passed over? By the anomaly names of Jepsen's checker kafka.

log     what a history says about each log: which message stands at which offset, who sent it, who polled it
finders what is wrong with a log, name by name
cycles  circles of transactions
check   what may not be, and the verdict
"""
