nnc bench out-of-memory-rows.nn --batch 100000000000000
