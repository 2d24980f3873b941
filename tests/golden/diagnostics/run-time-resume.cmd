nnc train file-access-paths.nn --quiet --checkpoint c.safetensors --every 1 --steps 3
nnc train file-access-paths.nn --quiet --resume c.safetensors --steps 2
