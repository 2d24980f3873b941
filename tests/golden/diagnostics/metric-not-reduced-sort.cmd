nnc eval metric-not-reduced-sort.nn
