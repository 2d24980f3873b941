nnc train evaluation-index.nn
