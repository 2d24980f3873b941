PATH=nowhere nnc graph file-access-paths.nn -o m.svg
