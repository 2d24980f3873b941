nnc grad not-differentiable-integer.nn --wrt k
nnc grad not-differentiable-integer.nn --of n --wrt x
