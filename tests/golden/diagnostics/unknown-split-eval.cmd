nnc eval file-access-paths.nn --split tset
