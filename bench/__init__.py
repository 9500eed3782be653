"""Benchmarks of wirecat beside every peer that is installed: ``make bench``, or ``python -m bench --help``.

One file in ``benchmarks/`` is one benchmark. What all of them stand on: ``contest`` runs the contestants in turns and
takes medians, ``programs`` starts servers and sees every process to its end, ``yardsticks/`` are the limits and the
loads in C, ``peers/`` the servers that a Python programmer would write instead, ``page`` and ``chart`` show it all, and
``targets`` says what was to be reached. The load never comes from the code that is measured.
"""
