"""Every public name with its calls: which arguments they take, a valid value of each, and malformed ones."""

import attack_fields
import attack_laws
import attack_learned
import attack_processes
import attack_samplers
import attack_studies
import attack_universal


def doors():
    """The table: one entry for each public name."""
    parts = (
        attack_laws,
        attack_fields,
        attack_learned,
        attack_processes,
        attack_samplers,
        attack_studies,
        attack_universal,
    )
    return {name: calls for part in parts for name, calls in part.doors().items()}
