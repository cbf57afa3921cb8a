"""Systems that others wrote, as targets: one file each."""
