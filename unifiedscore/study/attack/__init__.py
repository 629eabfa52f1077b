"""Universal claims are attacked: a space of instances is searched for one that breaks the theorem.

`parameters`, `ragged` and `space` say what an instance is, `universal` what is claimed of all of them; `explore`
searches, `certify` asks a second route, `shrink` simplifies, `attack` joins the three. `run` evaluates on workers,
`store` keeps what was found, and `verdict` judges it.
"""
