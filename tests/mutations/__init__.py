"""Single mistakes planted in the package, to see whether its verdicts and its tests notice them.

`python -m tests.mutations --verify` plants each in a copy of the project and runs `unifiedscore verify` there,
`--tests` runs pytest. A mutation is *noticed* by verify if a verdict is not as expected or a cell, a derivation or a
figure fails; by the tests, if one fails. What is known already is not run again. `--table` writes the scores.
"""
