"""Mistakes in the distances and cosines."""

from tests.mutations.mutation import Mutation

MUTATIONS = ()
