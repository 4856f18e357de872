"""Long and rough tests of the gateway, from outside: chaos, and measurements of what it promises when things go wrong."""

import sys
from pathlib import Path

HERE = Path(__file__).resolve().parents[1]
ROOT = HERE.parents[1]
sys.path.insert(0, str(HERE.parent / "Peers"))
