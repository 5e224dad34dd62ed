"""Writing the contest's ZIP and verifying it. The verifier shares no code with the writer."""

from selector.submit._archive import write_archive
from selector.submit.verify import Verdict, verify_archive

__all__ = ["Verdict", "verify_archive", "write_archive"]
