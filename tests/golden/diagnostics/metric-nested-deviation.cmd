nnc eval metric-nested-deviation.nn
