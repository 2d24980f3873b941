printf 'input x: f32\ny = 2 * x\nx = y\n:time y\n' | nnc
