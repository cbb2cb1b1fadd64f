import sys
from pathlib import Path

# the site's own modules; those that are tested need no Sphinx
sys.path.insert(0, str(Path(__file__).parents[2] / "notebooks" / "site" / "extensions"))
