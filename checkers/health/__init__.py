"""Instances that a registry probes: is who answers told to be healthy, and who is silent not?

facts     instances and their lives, who was told what of them, and watches, as a history tells them
spans     when an instance must be told to pass, must not, must be there, must be gone
judge     every reading against these
watches   the changes that were told, against the lives of instances
check     the checker: all together
"""
