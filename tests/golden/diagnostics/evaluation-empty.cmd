nnc check evaluation-empty.nn --bind n=0
