"""What a command line reports in a line, with exit status 2."""

from gridjax.envs.registry import UnknownOption

# the last where a task of one's own cannot be imported
BAD_INPUT = (ValueError, OSError, UnknownOption, ModuleNotFoundError)
