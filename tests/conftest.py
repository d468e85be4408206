"""For every test: examples take the time they take, since cores are shared and slow."""

from hypothesis import settings

settings.register_profile("coravet", deadline=None)
settings.load_profile("coravet")
