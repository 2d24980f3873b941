nnc run-time-files.nn -o m.exe
nnc train run-time-files.nn --set lr
nnc train run-time-files.nn --set lr=fast
nnc check run-time-files.nn --bind batch=-1
nnc eval run-time-files.nn --split test
nnc grad run-time-files.nn --wrt y
nnc run run-time-files.nn -o out.npz
nnc run run-time-files.nn --grad x -o out.npz
nnc check run-time-files.nn --dump-after=simplfy
nnc train evaluation-empty.nn
