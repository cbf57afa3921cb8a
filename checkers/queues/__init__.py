"""Queues: what went in and what came out.

facts   the enqueues and deliveries of each queue, as a history tells them
total   was anything lost, delivered twice, made up, or overtaken?
order   does every consumer see each producer's elements in the order in which they were sent?
"""
