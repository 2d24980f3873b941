nnc check product-mismatch-inside.nn
