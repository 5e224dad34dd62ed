"""Files of models that scorers need and no package brings: what they are, where they lie, how they come here.

Scorers call ``need`` (or ``need_backbone``), then ``load_state``; ``bestshot weights`` does the rest. The weights that
come inside installed packages are another matter: ``selector.weights.bundled`` tags those.
"""

from selector.weights.catalogue import Model, ModelFile, Repository, all_models, model_named
from selector.weights.hashes import ABSENT, content_tag, tag_or_absent
from selector.weights.place import find, need, need_backbone, weights_folder
from selector.weights.safe_load import check_named_files, load_state
from selector.weights.unreadable import why_unreadable

__all__ = [
    "ABSENT",
    "Model",
    "ModelFile",
    "Repository",
    "all_models",
    "check_named_files",
    "content_tag",
    "find",
    "load_state",
    "model_named",
    "need",
    "need_backbone",
    "tag_or_absent",
    "weights_folder",
    "why_unreadable",
]
