nnc check file-access-paths.nn --dump-after=codegen | tail -n 1
