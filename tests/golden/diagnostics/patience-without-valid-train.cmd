nnc train patience-without-valid-train.nn --quiet
