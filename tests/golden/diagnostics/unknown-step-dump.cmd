nnc check file-access-paths.nn --dump-after=simplfy
