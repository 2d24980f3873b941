PATH=nowhere nnc graph run-time-files.nn -o m.svg
