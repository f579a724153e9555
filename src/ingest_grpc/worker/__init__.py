"""Workers: claim records, have them converted, report what became of them. One loop per file.

The composition root imports Pool, Runner, Reaper, Stager and Janitor; tests call their `step`.
"""
