"""Takes a child's rights away, by own calls of the kernel; each module guards against one kind of harm.
Only `sandbox.child` imports from here."""
