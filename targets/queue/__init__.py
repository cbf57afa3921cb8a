"""Message queues.

log     a log with partitions, in-sync replicas, producers with sequences and consumer groups (Kafka's model)
broker  queues with confirms, acknowledgements and redelivery, on Raft or with mirrors (RabbitMQ's model)
quorum  commands to a state machine that the nodes replicate by Raft, from any node
"""
