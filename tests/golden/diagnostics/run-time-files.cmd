nnc eval run-time-files.nn --weights nothing.safetensors
echo 'not weights' >bad.safetensors
nnc eval run-time-files.nn --weights bad.safetensors
nnc train run-time-files.nn --quiet --log log.txt
nnc train run-time-files.nn --quiet -o nowhere/w.safetensors
nnc train run-time-files.nn --quiet -o .
