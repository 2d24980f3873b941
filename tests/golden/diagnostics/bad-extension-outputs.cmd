nnc file-access-paths.nn -o m.exe
nnc train file-access-paths.nn --quiet --log log.txt
