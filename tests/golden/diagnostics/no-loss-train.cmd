nnc train no-loss-train.nn --quiet
nnc grad no-loss-train.nn --wrt x
