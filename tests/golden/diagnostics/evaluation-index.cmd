nnc check evaluation-index.nn
