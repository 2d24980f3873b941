printf '\000\000\010\002\000\000\000\003\000\000\000\002\001\002' >cut.idx
nnc train damaged-file-kinds.nn --quiet
echo 'not weights' >bad.safetensors
nnc eval file-access-paths.nn --weights bad.safetensors
