nnc train not-finite-logarithm.nn --quiet --trap-nan
