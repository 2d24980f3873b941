nnc train evaluation-empty.nn
