"""From study files to a ledger: the one routine behind `unifiedscore verify` and the pytest plugin.

`routine` proves derivations, runs and judges studies and draws figures; `claims` asks it for single claims.
"""
