printf ':lod file-access-paths.nn\n' | nnc
