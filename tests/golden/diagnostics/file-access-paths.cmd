nnc eval file-access-paths.nn --weights nothing.safetensors
nnc train file-access-paths.nn --quiet -o nowhere/w.safetensors
nnc train file-access-paths.nn --quiet -o .
